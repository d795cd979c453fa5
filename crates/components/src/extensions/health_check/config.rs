use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_pipeline::auth::HttpAuthConfig;
use spanmill_tls::ServerTls;

use crate::net::cors::Cors;
use crate::net::site;

/// Options of the `health_check` extension: those of a server over HTTP, and some more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// `host:port`; without a host all interfaces are listened on.
    pub(super) endpoint: String,
    /// `tcp`.
    transport: String,
    /// Accepted: a server dials nobody.
    dialer: IgnoredAny,
    /// TLS; without it everything is sent in the clear.
    pub(super) tls: NullableBlock<ServerTls>,
    /// Who may ask.
    pub(super) auth: NullableBlock<HttpAuthConfig>,
    /// Accepted: pages of others may not read the answer.
    cors: NullableBlock<Cors>,
    /// Accepted: requests have no body.
    max_request_body_size: i64,
    /// Accepted, without effect.
    include_metadata: bool,
    /// Accepted, without effect.
    response_headers: Headers,
    /// Accepted: requests have no body.
    compression_algorithms: Vec<String>,
    /// Accepted: a client has ten seconds.
    read_timeout: Duration,
    /// Accepted: a client has ten seconds.
    read_header_timeout: Duration,
    /// Accepted, without effect.
    write_timeout: Duration,
    /// Accepted, without effect.
    idle_timeout: Duration,
    /// Accepted, without effect.
    keep_alives_enabled: bool,
    /// Middlewares; not supported.
    middlewares: Vec<IgnoredAny>,
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
            transport: "tcp".to_owned(),
            dialer: IgnoredAny,
            tls: NullableBlock::default(),
            auth: NullableBlock::default(),
            cors: NullableBlock::default(),
            max_request_body_size: 0,
            include_metadata: false,
            response_headers: Headers::default(),
            compression_algorithms: Vec::new(),
            read_timeout: Duration::ZERO,
            read_header_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            keep_alives_enabled: true,
            middlewares: Vec::new(),
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
        if !matches!(config.transport.as_str(), "tcp" | "tcp4" | "tcp6") {
            return Err(section.error("transport", format!("unknown transport {:?}: expected tcp", config.transport)));
        }
        site::check(section, "", config.tls.as_ref(), &config.middlewares)?;
        Ok(config)
    }
}
