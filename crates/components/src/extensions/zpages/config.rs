use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_pipeline::auth::HttpAuthConfig;
use spanmill_tls::ServerTls;

use crate::net::cors::Cors;
use crate::net::{passing, site};

/// Options of the `zpages` extension: those of a server over HTTP, and one more.
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
    /// Who may see the pages.
    pub(super) auth: NullableBlock<HttpAuthConfig>,
    /// Accepted: pages are for people, and pages of others may not read them.
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
    /// Variables of the process.
    pub(super) expvar: Expvar,
}

/// Options of `expvar`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expvar {
    /// Whether they are shown.
    pub(super) enabled: bool,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "localhost:55679".to_owned(),
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
            expvar: Expvar::default(),
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = passing::read(section, &["", "expvar"])?;
        if config.endpoint.is_empty() {
            return Err(section.error("endpoint", "\"endpoint\" is required when using the \"zpages\" extension"));
        }
        if !matches!(config.transport.as_str(), "tcp" | "tcp4" | "tcp6") {
            return Err(section.error("transport", format!("unknown transport {:?}: expected tcp", config.transport)));
        }
        site::check(section, "", config.tls.as_ref(), &config.middlewares)?;
        Ok(config)
    }
}
