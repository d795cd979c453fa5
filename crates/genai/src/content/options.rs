//! What can be asked for.

use std::fmt;

use thiserror::Error;

/// What is done with prompts, answers and other content of spans. Everything is kept where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentOptions {
    /// What is done with content that no rule is about.
    pub policy: Action,
    /// The first rule that is about an attribute, and its size, decides.
    pub rules: Vec<ContentRule>,
    /// What [`Action::Truncate`] cuts to, in bytes; none means 4 KiB.
    pub max_bytes: Option<usize>,
    /// What is done with data in base64, before anything else.
    pub blobs: DataAction,
    /// What is done with embedding vectors, before anything but blobs.
    pub embeddings: DataAction,
    /// What is masked, before an action sees it.
    pub mask: Vec<Mask>,
    /// The key of hashes; without one they are plain.
    pub hash_key: Option<HashKey>,
    /// Where what was put aside can be found: references are this address, a slash, and the SHA-256 of the content.
    pub store: Option<String>,
}

/// What is done with content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Drop,
    /// Its hash takes its place; the structure of messages stays.
    Hash,
    /// Texts are cut until the whole fits; the structure of messages stays.
    Truncate,
    /// It is put aside, and a reference takes its place.
    Offload,
}

/// What is done with data that nobody reads as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DataAction {
    /// It stays.
    #[default]
    Keep,
    /// A note of its size takes its place.
    Drop,
    /// Its hash takes its place.
    Hash,
    /// It is put aside, and a reference takes its place.
    Offload,
}

/// An action for some content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentRule {
    /// Names of attributes, with `*` for anything; none means all content. An attribute that is named here is content.
    pub attributes: Vec<String>,
    /// Only values of more bytes than this.
    pub larger_than: usize,
    /// What is done.
    pub action: Action,
}

/// What is masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// One of the built-in kinds: `keys`, `email`, `card`, `phone`, `ip`.
    Builtin(String),
    /// A pattern of the user's own.
    Own {
        /// What it is called in metrics, and in the replacement.
        name: String,
        /// A regular expression.
        pattern: String,
        /// What takes the place of what matches; none means `[masked:<name>]`.
        replacement: Option<String>,
    },
}

/// A secret key.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey(pub Vec<u8>);

/// Options that make no sense.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct ContentError {
    /// The option that is wrong.
    pub option: String,
    /// What is wrong with it.
    pub message: String,
}

// === impl ContentOptions ===

impl ContentOptions {
    /// Whether everything stays as it is.
    pub fn is_keep(&self) -> bool {
        let keeps = |action: Action| action == Action::Keep;
        let data = [self.blobs, self.embeddings].iter().all(|action| *action == DataAction::Keep);
        keeps(self.policy) && self.rules.iter().all(|rule| keeps(rule.action)) && data && self.mask.is_empty()
    }
}

// === impl HashKey ===

impl fmt::Debug for HashKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[REDACTED]")
    }
}

// === impl ContentError ===

impl ContentError {
    pub(super) fn new(option: impl Into<String>, message: impl Into<String>) -> Self {
        Self { option: option.into(), message: message.into() }
    }
}
