use serde::Deserialize;
use spanmill_config::{ConfigError, Secret, Section};

/// Options of the `api_keys` extension.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The header that carries the key.
    pub(super) header: String,
    /// Whether `Authorization: Bearer` may carry it as well.
    pub(super) bearer: bool,
    /// The keys, and whom they stand for. At least one.
    pub(super) keys: Vec<Key>,
}

/// Keys of a tenant: one, or those of a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Key {
    /// The tenant. Required.
    pub(super) tenant: String,
    /// Its key.
    pub(super) api_key: Secret,
    /// A file with a key a line; what stands behind a space is not read.
    pub(super) file: String,
}

/// Shorter ones are guessed.
const LEAST: usize = 16;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self { header: "x-api-key".to_owned(), bearer: true, keys: Vec::new() }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.keys.is_empty() {
            return Err(section.error("keys", "at least one key must be given"));
        }
        for (index, key) in config.keys.iter().enumerate() {
            let at = |option: &str| format!("keys::{index}::{option}");
            if key.tenant.is_empty() {
                return Err(section.error(&at("tenant"), "must not be empty"));
            }
            if key.api_key.is_empty() == key.file.is_empty() {
                return Err(section.error(&at("api_key"), "give either an api_key or a file"));
            }
            if !key.api_key.is_empty() && key.api_key.expose().trim().len() < LEAST {
                return Err(section.error(&at("api_key"), format!("must have {LEAST} characters at least")));
            }
            let same = |other: &Key| !key.api_key.is_empty() && other.api_key == key.api_key;
            if config.keys.iter().take(index).any(same) {
                return Err(section.error(&at("api_key"), "is given twice"));
            }
        }
        Ok(config)
    }
}
