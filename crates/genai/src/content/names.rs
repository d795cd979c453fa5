//! Which attributes and events hold content.

use std::collections::HashSet;

use serde::Deserialize;

use super::options::ContentError;
use super::pattern::{Pattern, patterns};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::messages::split_flat;
use crate::target;

/// What is known of names.
#[derive(Debug)]
pub(super) struct Names {
    exact: HashSet<Box<str>>,
    patterns: Vec<Pattern>,
    /// What keys of flattened documents begin with, before a number.
    flattened: Vec<Box<str>>,
    events: HashSet<Box<str>>,
    /// Attributes of the conventions that are none: they are never touched.
    facts: HashSet<&'static str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    attributes: Vec<String>,
    events: Vec<String>,
}

const FILE: &str = include_str!("../../content.yaml");

// === impl Names ===

impl Names {
    /// The names that are known, those of a catalogue, and those that rules name.
    pub(super) fn new<'a>(
        catalogue: &Catalogue,
        named: impl Iterator<Item = &'a String>,
    ) -> Result<Self, ContentError> {
        let file: File = serde_yaml::from_str(FILE)
            .map_err(|error| ContentError::new("", CatalogueError::new("content", error.to_string()).to_string()))?;
        let named = named.filter(|name| !name.trim_matches('*').is_empty()).cloned();
        let (with_stars, mut exact): (Vec<String>, Vec<String>) =
            file.attributes.into_iter().chain(named).partition(|name| name.contains('*'));
        exact.extend(catalogue.content_keys().map(str::to_owned));
        let flattened = catalogue.flattened.iter().map(|(prefix, _)| prefix.clone());
        let is_fact = |name: &&str| !target::holds_content(name) && !name.ends_with(".description");
        let facts = target::TARGETS.iter().map(|(name, _)| *name).filter(is_fact);
        Ok(Self {
            exact: exact.into_iter().map(String::into_boxed_str).collect(),
            patterns: patterns(&with_stars),
            flattened: flattened.collect(),
            events: file.events.into_iter().map(String::into_boxed_str).collect(),
            facts: facts.collect(),
        })
    }

    /// Whether an attribute tells of a call what other things rest on.
    pub(super) fn is_fact(&self, key: &str) -> bool {
        self.facts.contains(key)
    }

    /// Whether an attribute holds content, on a span that is one of GenAI or not.
    pub(super) fn is_content(&self, key: &str, genai: bool) -> bool {
        if !genai && !key.contains(['.', ':']) {
            return false;
        }
        let flattened = self.flattened.iter().map(|prefix| &**prefix);
        let known = self.exact.contains(key)
            || split_flat(flattened, key.as_bytes()).is_some()
            || self.patterns.iter().any(|pattern| pattern.matches(key));
        known && !self.is_fact(key)
    }

    /// Whether all that an event carries is content.
    pub(super) fn is_content_event(&self, name: &str) -> bool {
        self.events.contains(name)
    }
}
