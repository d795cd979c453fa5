use spanmill_config::{ConfigError, Section};
use thiserror::Error;

/// Why TLS options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{option}: {message}")]
pub struct TlsError {
    /// The option at fault.
    pub option: &'static str,
    /// What is wrong with it.
    pub message: String,
}

// === impl TlsError ===

impl TlsError {
    pub(crate) fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self { option, message: message.into() }
    }

    /// The same as an error of `section`, whose TLS options are at `at`.
    pub fn in_section(&self, section: &Section, at: &str) -> ConfigError {
        let path = if self.option.is_empty() { at.to_owned() } else { format!("{at}::{}", self.option) };
        section.error(&path, &self.message)
    }
}
