//! Content of spans: prompts, answers, arguments and results of tools, retrieved documents, embedding vectors. It is kept, dropped, hashed,
//! cut or put aside, under the names of the conventions as well as under those it came with; secrets and personal data in it are masked.
//!
//! Every value goes the same way: data in base64 is taken out, then embedding vectors, then what is to be masked, and then one action is
//! done to what is left. Numbers, identifiers, models and all that is no content is never touched, and a second time changes nothing.

mod apply;
mod aside;
mod data;
mod detect;
mod digest;
mod edits;
mod json;
mod mask;
mod names;
mod options;
mod pattern;
mod place;
mod structure;
mod value;
mod wire;

pub use apply::{Applied, ContentTally};
pub use options::{Action, ContentError, ContentOptions, ContentRule, DataAction, HashKey, Mask};

use digest::Digest;
use mask::Masks;
use names::Names;
use pattern::{Pattern, patterns};

use crate::engine::Engine;

/// What is done with content, compiled. One policy serves all requests of a pipeline, from any number of threads.
#[derive(Debug)]
pub struct ContentPolicy {
    names: Names,
    rules: Vec<Rule>,
    policy: Action,
    max_bytes: usize,
    blobs: DataAction,
    embeddings: DataAction,
    masks: Masks,
    digest: Digest,
    store: String,
}

#[derive(Debug)]
struct Rule {
    /// None means all content.
    attributes: Vec<Pattern>,
    larger_than: usize,
    action: Action,
}

/// What is cut to where nothing else is said.
const DEFAULT_MAX_BYTES: usize = 4_096;

/// Nothing is cut to less.
const LEAST_MAX_BYTES: usize = 64;

// === impl ContentPolicy ===

impl ContentPolicy {
    /// Compiles options. What holds content is what the engine takes for it, and what is known beside.
    pub fn new(options: &ContentOptions, engine: &Engine) -> Result<Self, ContentError> {
        let max_bytes = options.max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        if max_bytes < LEAST_MAX_BYTES {
            return Err(ContentError::new("max_bytes", format!("max_bytes must be at least {LEAST_MAX_BYTES}")));
        }
        if options.hash_key.as_ref().is_some_and(|HashKey(key)| key.is_empty()) {
            return Err(ContentError::new("hash_key", "hash_key must not be empty"));
        }
        let names = Names::new(&engine.catalogue, options.rules.iter().flat_map(|rule| &rule.attributes))?;
        for (at, rule) in options.rules.iter().enumerate() {
            if let Some(name) = rule.attributes.iter().find(|name| name.trim().is_empty() || names.is_fact(name)) {
                let message = format!("rules[{at}]: {name:?} is no content");
                return Err(ContentError::new("rules", message));
            }
        }
        let offloads = options.policy == Action::Offload
            || options.rules.iter().any(|rule| rule.action == Action::Offload)
            || [options.blobs, options.embeddings].contains(&DataAction::Offload);
        if offloads && options.store.is_none() {
            return Err(ContentError::new("offload", "offload needs a directory or a url"));
        }
        let rules = options.rules.iter().map(|rule| Rule {
            attributes: patterns(&rule.attributes),
            larger_than: rule.larger_than,
            action: rule.action,
        });
        Ok(Self {
            names,
            rules: rules.collect(),
            policy: options.policy,
            max_bytes,
            blobs: options.blobs,
            embeddings: options.embeddings,
            masks: Masks::new(&options.mask, options.store.as_deref().unwrap_or_default())?,
            digest: Digest::new(options.hash_key.clone()),
            store: options.store.clone().unwrap_or_default(),
        })
    }

    /// The names of what is masked, in the order of [`ContentTally::masked`].
    pub fn mask_names(&self) -> impl Iterator<Item = &str> {
        self.masks.names()
    }

    /// What is done with a value of that many bytes.
    fn action(&self, key: &str, bytes: usize) -> Action {
        let is_about = |rule: &&Rule| {
            let named = rule.attributes.is_empty() || rule.attributes.iter().any(|pattern| pattern.matches(key));
            named && bytes > rule.larger_than
        };
        self.rules.iter().find(is_about).map_or(self.policy, |rule| rule.action)
    }
}
