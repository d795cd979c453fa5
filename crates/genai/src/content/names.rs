//! Which attributes and events hold content.

use std::collections::HashSet;

use serde::Deserialize;

use super::options::ContentError;
use super::pattern::{Pattern, patterns};
use crate::catalogue::{BELOW, Catalogue, CatalogueError};
use crate::messages::{is_numbered, split_flat};
use crate::target;

/// What is known of names.
#[derive(Debug)]
pub(super) struct Names {
    exact: HashSet<Box<str>>,
    /// What mean content below whatever name, on GenAI spans.
    ends: HashSet<Box<str>>,
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
        exact.extend(catalogue.content_keys().filter(|name| !name.starts_with(BELOW)).map(str::to_owned));
        let ends = catalogue.content_keys().filter_map(|name| name.strip_prefix(BELOW)).map(Box::from).collect();
        let flattened = catalogue.flattened.iter().map(|(prefix, _)| prefix.clone());
        let is_fact = |name: &&str| !target::holds_content(name) && !name.ends_with(".description");
        let facts = target::TARGETS.iter().map(|(name, _)| *name).filter(is_fact);
        Ok(Self {
            exact: exact.into_iter().map(String::into_boxed_str).collect(),
            ends,
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
        let is_flat = |key: &str| split_flat(self.flattened.iter().map(|prefix| &**prefix), key.as_bytes()).is_some();
        let mut ends = key.char_indices().filter(|(_, char)| *char == '.').filter_map(|(dot, _)| key.get(dot + 1..));
        let known = self.exact.contains(key)
            || is_flat(key)
            || self.patterns.iter().any(|pattern| pattern.matches(key))
            || genai && (self.ends.contains(key) || ends.any(|end| self.ends.contains(end) || is_flat(end)));
        known && !self.is_fact(key)
    }

    /// Whether all that an event carries is content.
    pub(super) fn is_content_event(&self, name: &str) -> bool {
        self.events.contains(name) || is_numbered(name)
    }
}
