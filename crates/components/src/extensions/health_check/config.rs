use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Section};

/// Options of the `health_check` extension.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// `host:port`; without a host all interfaces are listened on.
    pub(super) endpoint: String,
    /// The path that is answered; `/` answers every path.
    pub(super) path: String,
    /// Replaces the JSON bodies.
    pub(super) response_body: ResponseBody,
    /// Deprecated in the Collector and without effect there; accepted, without effect.
    check_collector_pipeline: Option<IgnoredAny>,
}

/// What is answered instead of the JSON document, as plain text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResponseBody {
    /// With 200. Empty keeps the JSON document.
    pub(super) healthy: String,
    /// With 503. Empty keeps the JSON document.
    pub(super) unhealthy: String,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "localhost:13133".to_owned(),
            path: "/".to_owned(),
            response_body: ResponseBody::default(),
            check_collector_pipeline: None,
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.endpoint.is_empty() {
            return Err(section.error("endpoint", "must be specified"));
        }
        if !config.path.starts_with('/') {
            return Err(section.error("path", "path must start with /"));
        }
        Ok(config)
    }
}
