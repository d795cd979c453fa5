use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_pipeline::Signal;
use spanmill_pipeline::auth::AuthConfig;
use spanmill_tls::ClientTls;

use crate::exporters::sending::{RetryOnFailure, SendingQueue};
use crate::net::compression::Compression;
use crate::net::passing;

/// Options of the `otlp_http` exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Where to send, with its scheme; `/v1/traces`, `/v1/metrics` or `/v1/logs` is appended.
    pub(super) endpoint: String,
    /// Where to send traces, as it is.
    pub(super) traces_endpoint: String,
    /// Where to send metrics, as it is.
    pub(super) metrics_endpoint: String,
    /// Where to send logs, as it is.
    pub(super) logs_endpoint: String,
    /// `proto` or `json`.
    pub(super) encoding: Encoding,
    /// `gzip`, `zstd`, `snappy`, `x-snappy-framed`, `deflate`, `zlib` or `none`.
    pub(super) compression: Compression,
    /// How hard to compress.
    pub(super) compression_params: CompressionParams,
    /// TLS, where the endpoint says `https://`.
    pub(super) tls: ClientTls,
    /// Headers of every request.
    pub(super) headers: Headers,
    /// A request must be answered within this time; 0: no limit.
    pub(super) timeout: Duration,
    /// A proxy to go through.
    pub(super) proxy_url: String,
    /// Connections kept for later.
    pub(super) max_idle_conns: i64,
    /// Accepted: there is one host, so `max_idle_conns` counts for it.
    pub(super) max_idle_conns_per_host: i64,
    /// Accepted: `num_consumers` of the queue bounds what is sent at a time.
    pub(super) max_conns_per_host: i64,
    /// How long connections are kept.
    pub(super) idle_conn_timeout: Duration,
    /// Whether every request gets a connection of its own.
    pub(super) disable_keep_alives: bool,
    /// Accepted: HTTP/2 is spoken where the backend offers it by TLS.
    pub(super) force_attempt_http2: bool,
    /// HTTP/2: a silent connection is asked for a sign of life after this time.
    pub(super) http2_read_idle_timeout: Duration,
    /// HTTP/2: and is closed if none comes within this time.
    pub(super) http2_ping_timeout: Duration,
    /// Accepted, without effect.
    pub(super) read_buffer_size: u64,
    /// Accepted, without effect.
    pub(super) write_buffer_size: u64,
    /// Whether cookies of the backend are kept, and sent back.
    pub(super) cookies: NullableBlock<Cookies>,
    /// Who tells the backend that it is us.
    pub(super) auth: NullableBlock<AuthConfig>,
    /// Middlewares; not supported.
    pub(super) middlewares: Vec<IgnoredAny>,
    /// The queue before it.
    pub(super) sending_queue: SendingQueue,
    /// What happens to a request that failed.
    pub(super) retry_on_failure: RetryOnFailure,
}

/// Options of `cookies`, of which there are none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cookies {}

/// Options of `compression_params`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CompressionParams {
    /// 1 is fastest; 0 means the default, which is 1; -1 means the default of gzip and zlib, which is 6.
    pub(super) level: i32,
}

/// How requests are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    Proto,
    Json,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            traces_endpoint: String::new(),
            metrics_endpoint: String::new(),
            logs_endpoint: String::new(),
            encoding: Encoding::Proto,
            compression: Compression::Gzip,
            compression_params: CompressionParams::default(),
            tls: ClientTls::default(),
            headers: Headers::default(),
            timeout: Duration::from_secs(30),
            proxy_url: String::new(),
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            max_conns_per_host: 0,
            idle_conn_timeout: Duration::from_secs(90),
            disable_keep_alives: false,
            force_attempt_http2: true,
            http2_read_idle_timeout: Duration::ZERO,
            http2_ping_timeout: Duration::ZERO,
            read_buffer_size: 0,
            write_buffer_size: 512 * 1024,
            cookies: NullableBlock::default(),
            auth: NullableBlock::default(),
            middlewares: Vec::new(),
            sending_queue: SendingQueue::default(),
            retry_on_failure: RetryOnFailure::default(),
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = passing::read(section, &["", "compression_params", "tls", "retry_on_failure"])?;
        let endpoints = [&config.endpoint, &config.traces_endpoint, &config.metrics_endpoint, &config.logs_endpoint];
        if endpoints.into_iter().all(|endpoint| endpoint.is_empty()) {
            return Err(section.error("endpoint", "at least one endpoint must be specified"));
        }
        if !config.middlewares.is_empty() {
            return Err(section.error("middlewares", "is not supported"));
        }
        if !config.compression.has_level(config.compression_params.level) {
            let compression = config.compression.header().unwrap_or_default();
            let message = format!("{compression} has no level {}", config.compression_params.level);
            return Err(section.error("compression_params::level", message));
        }
        config.tls.check(section, "tls")?;
        config.sending_queue.check(section)?;
        config.retry_on_failure.check(section)?;
        Ok(config)
    }

    /// How hard to compress, where something was said.
    pub(super) fn level(&self) -> Option<i32> {
        Some(self.compression_params.level).filter(|level| *level != 0)
    }

    /// Where requests of a signal go; empty where nothing was said about it.
    pub(super) fn url(&self, signal: Signal) -> String {
        match self.own_endpoint(signal) {
            "" if self.endpoint.is_empty() => String::new(),
            "" => format!("{}/v1/{}", self.endpoint.trim_end_matches('/'), signal.as_str()),
            own => own.to_owned(),
        }
    }

    /// The endpoint of a signal alone, as written; empty where there is none.
    pub(super) fn own_endpoint(&self, signal: Signal) -> &str {
        match signal {
            Signal::Traces => &self.traces_endpoint,
            Signal::Metrics => &self.metrics_endpoint,
            Signal::Logs => &self.logs_endpoint,
        }
    }
}
