//! What is to become of attributes, by key and by value.

use std::borrow::Cow;
use std::collections::HashSet;

use regex::bytes::{Regex, RegexSet, RegexSetBuilder};
use spanmill_config::{ConfigError, Section};
use spanmill_ottl::compile_re2;

use super::config::Config;
use super::db::DbSanitizer;
use super::inside::Inside;
use super::map::Summary;
use super::mask::Masker;
use super::url::UrlSanitizer;

/// The configuration, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    allowed_keys: Option<Keys>,
    ignored_keys: Keys,
    ignored_key_patterns: Vec<Regex>,
    blocked_key_patterns: Vec<Regex>,
    allowed_values: Vec<Regex>,
    blocked_values: Blocked,
    pub(super) all_types: bool,
    masker: Masker,
    inside_json: bool,
    pub(super) urls: Option<UrlSanitizer>,
    pub(super) databases: DbSanitizer,
}

/// What becomes of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not looked at.
    Ignored,
    /// It is removed.
    Removed,
    /// Its value is one of those that are let through.
    Allowed,
    /// Nothing was found in it.
    Kept,
    /// Another text takes the place of its value.
    Masked(Vec<u8>),
}

/// Patterns of what is masked in values.
#[derive(Debug)]
struct Blocked {
    patterns: Vec<Regex>,
    /// All of them at once: most texts meet none.
    any: Option<RegexSet>,
}

type Keys = HashSet<Vec<u8>, ahash::RandomState>;

/// What the processor itself writes and never removes. The list is the Collector's.
const OWN_KEYS: [&str; 5] = [
    "redaction.redacted.keys",
    "redaction.redacted.count",
    "redaction.masked.keys",
    "redaction.masked.count",
    "redaction.ignored.count",
];

/// Most memory of all patterns of values together, in bytes.
const SET_LIMIT: usize = 64 << 20;

// === impl Rules ===

impl Rules {
    /// Reads the configuration: the rules, and how much is told.
    pub(super) fn read(section: &Section) -> Result<(Self, Summary), ConfigError> {
        let config = Config::read(section)?;
        let patterns = |option: &str, list: &[String]| -> Result<Vec<Regex>, ConfigError> {
            let compile = |(index, pattern): (usize, &String)| {
                let wrong = |error| {
                    let message = format!("invalid pattern {pattern:?}: {error}");
                    section.error(&format!("{option}[{index}]"), message).at_creation()
                };
                compile_re2(pattern).map_err(wrong)
            };
            list.iter().enumerate().map(compile).collect()
        };
        let keys = |list: &[String]| list.iter().map(|key| key.clone().into_bytes()).collect::<Keys>();
        let allowed = || {
            let mut allowed = keys(&config.allowed_keys);
            allowed.extend(OWN_KEYS.map(|key| key.as_bytes().to_vec()));
            allowed
        };
        let summary = match config.summary.as_str() {
            "debug" => Summary::CountsAndKeys,
            "info" => Summary::Counts,
            _ => Summary::Silent,
        };
        let rules = Self {
            allowed_keys: (!config.allow_all_keys).then(allowed),
            ignored_keys: keys(&config.ignored_keys),
            ignored_key_patterns: patterns("ignored_key_patterns", &config.ignored_key_patterns)?,
            blocked_values: Blocked::new(patterns("blocked_values", &config.blocked_values)?),
            blocked_key_patterns: patterns("blocked_key_patterns", &config.blocked_key_patterns)?,
            allowed_values: patterns("allowed_values", &config.allowed_values)?,
            all_types: config.redact_all_types,
            masker: Masker::new(config.hash_function, config.hmac_key),
            inside_json: config.inside_json,
            urls: config.url_sanitizer.enabled.then(|| UrlSanitizer::new(&config.url_sanitizer)),
            databases: DbSanitizer::new(&config.db_sanitizer),
        };
        Ok((rules, summary))
    }

    /// What becomes of an attribute. `text` is its value in text form, or nothing where its type is not looked at; `system` the database
    /// that the attributes around it name.
    pub(super) fn fate<'t>(&self, key: &[u8], text: impl FnOnce() -> Cow<'t, [u8]>, system: &str) -> Fate {
        if self.ignores(key) {
            return Fate::Ignored;
        }
        if self.allowed_keys.as_ref().is_some_and(|allowed| !allowed.contains(key)) {
            return Fate::Removed;
        }
        let text = text();
        if self.allows(&text) {
            return Fate::Allowed;
        }
        if self.blocks(key) {
            return Fate::Masked(self.mask_whole(&text));
        }
        self.masked(key, &text, system).map_or(Fate::Kept, Fate::Masked)
    }

    /// The value without what is not to be seen; none where nothing changes.
    fn masked(&self, key: &[u8], text: &[u8], system: &str) -> Option<Vec<u8>> {
        let inside = if self.inside_json { Inside::new(self).document(text) } else { None };
        let mut masked = match inside {
            Some(document) => document,
            None => self.mask_values(text),
        };
        if let Some(urls) = &self.urls {
            masked = urls.attribute(key, masked.as_deref().unwrap_or(text)).or(masked);
        }
        masked = self.databases.attribute(key, masked.as_deref().unwrap_or(text), system).or(masked);
        masked.filter(|masked| masked != text)
    }

    /// The text with everything masked that a pattern of blocked values finds; none where none finds anything.
    pub(super) fn mask_values(&self, text: &[u8]) -> Option<Vec<u8>> {
        if !self.blocked_values.may_match(text) {
            return None;
        }
        let mut masked: Option<Vec<u8>> = None;
        for pattern in &self.blocked_values.patterns {
            masked = self.masker.replace(pattern, masked.as_deref().unwrap_or(text)).or(masked);
        }
        masked
    }

    /// All of a text masked.
    pub(super) fn mask_whole(&self, text: &[u8]) -> Vec<u8> {
        self.masker.whole(text)
    }

    /// Whether a key is not to be looked at.
    pub(super) fn ignores(&self, key: &[u8]) -> bool {
        self.ignored_keys.contains(key) || any(&self.ignored_key_patterns, key)
    }

    /// Whether the value of a key is masked whole.
    pub(super) fn blocks(&self, key: &[u8]) -> bool {
        any(&self.blocked_key_patterns, key)
    }

    /// Whether a value is let through.
    pub(super) fn allows(&self, text: &[u8]) -> bool {
        any(&self.allowed_values, text)
    }

    /// Whether there is anything that can change a value.
    pub(super) fn looks_at_values(&self) -> bool {
        !self.blocked_values.patterns.is_empty() || !self.blocked_key_patterns.is_empty()
    }
}

fn any(patterns: &[Regex], text: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.is_match(text))
}

// === impl Blocked ===

impl Blocked {
    fn new(patterns: Vec<Regex>) -> Self {
        // A set that would become too large only costs speed.
        let set = || RegexSetBuilder::new(patterns.iter().map(Regex::as_str)).size_limit(SET_LIMIT).build().ok();
        let any = if patterns.len() > 1 { set() } else { None };
        Self { patterns, any }
    }

    fn may_match(&self, text: &[u8]) -> bool {
        self.any.as_ref().is_none_or(|any| any.is_match(text))
    }
}
