use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_pipeline::auth::AuthConfig;
use spanmill_tls::ClientTls;

use super::target::Target;
use crate::exporters::sending::{RetryOnFailure, SendingQueue};
use crate::net::compression::Compression;

/// Options of the `otlp_grpc` exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where to send: `host:port`, or with `https://`, `http://`, `dns:///` or `passthrough:///` before it; `unix://` and a path.
    pub(crate) endpoint: String,
    /// `gzip`, `zstd`, `snappy`, `deflate` or `none`.
    pub(super) compression: Compression,
    /// TLS, on unless `insecure` without an authority says otherwise; `http://` does not.
    pub(super) tls: ClientTls,
    /// Keep-alive.
    pub(super) keepalive: NullableBlock<KeepAlive>,
    /// Accepted, without effect.
    pub(super) read_buffer_size: u64,
    /// Accepted, without effect.
    pub(super) write_buffer_size: u64,
    /// Accepted: a request always waits for the connection, up to the timeout.
    pub(super) wait_for_ready: bool,
    /// Headers of every request.
    pub(super) headers: Headers,
    /// The name under which spanmill presents itself.
    pub(super) user_agent: String,
    /// Accepted: `round_robin` or `pick_first`; one connection is used.
    pub(super) balancer_name: String,
    /// What stands in `:authority`, where it is not the endpoint.
    pub(super) authority: String,
    /// Who tells the backend that it is us.
    pub(super) auth: NullableBlock<AuthConfig>,
    /// Middlewares; not supported.
    pub(super) middlewares: Vec<IgnoredAny>,
    /// A request must be answered within this time; 0: no limit.
    pub(super) timeout: Duration,
    /// The queue before it.
    pub(crate) sending_queue: SendingQueue,
    /// What happens to a request that failed.
    pub(crate) retry_on_failure: RetryOnFailure,
}

/// Options of `keepalive`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeepAlive {
    /// A silent connection is asked for a sign of life after this time.
    pub(super) time: Duration,
    /// And is closed if none comes within this time.
    pub(super) timeout: Duration,
    /// Also while nothing is being sent.
    pub(super) permit_without_stream: bool,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            compression: Compression::Gzip,
            tls: ClientTls::default(),
            keepalive: NullableBlock::default(),
            read_buffer_size: 0,
            write_buffer_size: 512 * 1024,
            wait_for_ready: false,
            headers: Headers::default(),
            user_agent: String::new(),
            balancer_name: "round_robin".to_owned(),
            authority: String::new(),
            auth: NullableBlock::default(),
            middlewares: Vec::new(),
            timeout: Duration::from_secs(5),
            sending_queue: SendingQueue::default(),
            retry_on_failure: RetryOnFailure::default(),
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if let Err(error) = Target::parse(&config.endpoint) {
            return Err(section.error("endpoint", error));
        }
        if config.endpoint.starts_with("http://") && !config.tls.is_off() {
            let at = section.path();
            tracing::warn!(
                at,
                "http:// does not turn TLS off, as it does not in the Go Collector: `tls::insecure` does"
            );
        }
        config.check(section)?;
        Ok(config)
    }

    /// Checks all but the endpoint.
    pub(crate) fn check(&self, section: &Section) -> Result<(), ConfigError> {
        let config = self;
        if !matches!(config.balancer_name.as_str(), "" | "round_robin" | "pick_first") {
            let message = format!("invalid balancer_name: {}", config.balancer_name);
            return Err(section.error("balancer_name", message));
        }
        if !config.middlewares.is_empty() {
            return Err(section.error("middlewares", "is not supported"));
        }
        if config.timeout.is_negative() {
            return Err(section.error("timeout", "timeout value must be greater than or equal to 0"));
        }
        config.tls.check(section, "tls")?;
        config.sending_queue.check(section)?;
        config.retry_on_failure.check(section)
    }
}

// === impl KeepAlive ===

impl Default for KeepAlive {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), timeout: Duration::from_secs(10), permit_without_stream: true }
    }
}
