use std::fmt;

use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Secret, Section};

/// Options of the `redaction` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Whether attributes are kept that `allowed_keys` does not name.
    pub(super) allow_all_keys: bool,
    /// Attributes that are kept. Without `allow_all_keys`, all others are removed.
    pub(super) allowed_keys: Vec<String>,
    /// Patterns of keys whose values are masked whole.
    pub(super) blocked_key_patterns: Vec<String>,
    /// What stands for what was masked: a hash of it, or `****`.
    pub(super) hash_function: HashFunction,
    /// The key of `hmac-sha256` (32 bytes at least) and `hmac-sha512` (64).
    pub(super) hmac_key: Secret,
    /// Attributes that are never looked at.
    pub(super) ignored_keys: Vec<String>,
    /// The same by pattern.
    pub(super) ignored_key_patterns: Vec<String>,
    /// Whether values that are no texts are looked at, too, in their text form.
    pub(super) redact_all_types: bool,
    /// Patterns of what is masked in values.
    pub(super) blocked_values: Vec<String>,
    /// Patterns of values that are kept as they are, whatever is blocked.
    pub(super) allowed_values: Vec<String>,
    /// Values in database queries.
    pub(super) db_sanitizer: Databases,
    /// What the processor tells about its work in attributes: `debug` names keys, `info` counts them, anything else is silence.
    pub(super) summary: String,
    /// Identifiers in paths of URLs.
    pub(super) url_sanitizer: Urls,
    /// Whether texts that are JSON documents are masked inside of their texts, so that they stay JSON. Spanmill's own option.
    pub(super) inside_json: bool,
}

/// `url_sanitizer`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Urls {
    pub(super) enabled: bool,
    /// Attributes that hold URLs.
    pub(super) attributes: Vec<String>,
    /// Whether names of HTTP spans are sanitised, too; they are where nothing is said.
    pub(super) sanitize_span_name: Option<bool>,
}

/// `db_sanitizer`: one block a kind of database.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Databases {
    pub(super) sql: Database,
    pub(super) redis: Database,
    pub(super) valkey: Database,
    pub(super) memcached: Database,
    pub(super) mongo: Database,
    pub(super) opensearch: Database,
    pub(super) es: Database,
    /// Whether names of spans that name a database are sanitised, too; they are where nothing is said.
    pub(super) sanitize_span_name: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Database {
    pub(super) enabled: bool,
    /// Attributes that hold queries.
    pub(super) attributes: Vec<String>,
}

/// What takes the place of what is masked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum HashFunction {
    #[default]
    None,
    Md5,
    Sha1,
    Sha3,
    HmacSha256,
    HmacSha512,
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        let least = match config.hash_function {
            HashFunction::HmacSha256 => 32,
            HashFunction::HmacSha512 => 64,
            _ => return Ok(config),
        };
        let (function, length) = (config.hash_function, config.hmac_key.expose().len());
        if length < least {
            let message = format!("{function} needs a key of at least {least} bytes, and this one has {length}");
            return Err(section.error("hmac_key", message));
        }
        Ok(config)
    }
}

// === impl HashFunction ===

impl fmt::Display for HashFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha3 => "sha3",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        })
    }
}

impl<'de> Deserialize<'de> for HashFunction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let all = [Self::None, Self::Md5, Self::Sha1, Self::Sha3, Self::HmacSha256, Self::HmacSha512];
        all.into_iter().find(|function| function.to_string() == text.to_lowercase()).ok_or_else(|| {
            let message =
                format!("unknown hash function {text:?}, valid are sha1, sha3, md5, hmac-sha256 and hmac-sha512");
            serde::de::Error::custom(message)
        })
    }
}
