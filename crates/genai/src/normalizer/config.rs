//! What a normalizer is to do, and which of it makes no sense. The names and messages are those of the Collector's `gen_ai_normalizer`.

use thiserror::Error;

use super::builtin::{self, BUILTIN};

/// What a [`Normalizer`](super::Normalizer) is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Whether the schema URL of a scope is replaced where it has one already.
    pub overwrite_schema_url: bool,
    /// Applied one after the other.
    pub sources: Vec<Source>,
}

/// A convention that spans are written in: a built-in one by its name, or one of the user's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// `openinference`, `openllmetry`, or any other name for one of the user's own.
    pub name: String,
    /// Whether what was mapped is removed.
    pub remove_originals: bool,
    /// Whether an attribute that stands there already is replaced.
    pub overwrite: bool,
    /// Attribute by attribute, what it becomes. Where several become the same, the first one counts.
    pub mappings: Vec<(String, String)>,
    /// By the attribute that is written, what its texts become. Of an attribute that is not, this has no effect.
    pub value_mappings: Vec<(String, Vec<(String, String)>)>,
}

/// A configuration makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    /// Which part of it, such as `sources[0]::mappings`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// More mappings than this are a mistake.
const MOST_MAPPINGS: usize = 10_000;

// === impl Config ===

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.sources.is_empty() {
            return Err(ConfigError::new("sources", "at least one source must be specified"));
        }
        for (at, source) in self.sources.iter().enumerate() {
            let path = format!("sources[{at}]");
            if source.name.is_empty() {
                return Err(ConfigError::new(path, "\"name\" must be set"));
            }
            if self.sources.iter().take(at).any(|earlier| earlier.name == source.name) {
                return Err(ConfigError::new(path, format!("duplicate source {:?}", source.name)));
            }
            source.check(&path)?;
        }
        Ok(())
    }
}

// === impl Source ===

impl Source {
    fn check(&self, path: &str) -> Result<(), ConfigError> {
        let name = &self.name;
        if builtin::find(name).is_some() {
            for (key, given) in
                [("mappings", !self.mappings.is_empty()), ("value_mappings", !self.value_mappings.is_empty())]
            {
                if given {
                    let message = format!("{key:?} is not valid on built-in source {name:?}");
                    return Err(ConfigError::new(format!("{path}::{key}"), message));
                }
            }
            return Ok(());
        }
        if self.mappings.is_empty() {
            let known: Vec<&str> = BUILTIN.iter().map(|builtin| builtin.name).collect();
            let message = format!(
                "user-defined source {name:?} requires non-empty \"mappings\" (built-in sources, which do not require mappings: {})",
                known.join(", ")
            );
            return Err(ConfigError::new(path, message));
        }
        self.check_mappings(&format!("{path}::mappings"))
    }

    fn check_mappings(&self, path: &str) -> Result<(), ConfigError> {
        if self.mappings.len() > MOST_MAPPINGS {
            return Err(ConfigError::new(path, format!("more than {MOST_MAPPINGS} mappings")));
        }
        for (from, to) in &self.mappings {
            let message = match (from.as_str(), to.as_str()) {
                ("", _) => return Err(ConfigError::new(path, "source attribute name must be non-empty")),
                (from, "") => format!("target for {from:?} must be non-empty"),
                (from, to) if from == to => format!("source and target are identical ({from:?})"),
                _ => continue,
            };
            return Err(ConfigError::new(format!("{path}::{from}"), message));
        }
        Ok(())
    }
}

// === impl ConfigError ===

impl ConfigError {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
