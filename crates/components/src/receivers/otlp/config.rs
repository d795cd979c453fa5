use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_pipeline::auth::{AuthConfig, HttpAuthConfig};
use spanmill_tls::ServerTls;

use super::limits::Limits;
use crate::net::compression::Compression;
use crate::net::cors::Cors;
use crate::net::path::mistake as url_path_mistake;
use crate::net::{passing, site};

/// Options of the `otlp` receiver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The protocols to listen for; at least one.
    pub(super) protocols: Protocols,
    /// What the receiver takes upon itself.
    pub(super) limits: Limits,
}

/// A protocol is on where its key is written, even without content.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Protocols {
    /// OTLP over gRPC.
    pub(super) grpc: spanmill_config::OptionalBlock<Grpc>,
    /// OTLP over HTTP.
    pub(super) http: spanmill_config::OptionalBlock<Http>,
}

/// Options of `protocols::grpc`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grpc {
    /// Where to listen: `host:port`, or a path where the transport is `unix`.
    pub(super) endpoint: String,
    /// `tcp` or `unix`.
    pub(super) transport: String,
    /// Accepted for the sake of the Collector's configurations; a listener dials nobody.
    pub(super) dialer: Dialer,
    /// TLS; without it everything is sent in the clear.
    pub(super) tls: NullableBlock<ServerTls>,
    /// Largest message in MiB, compressed or not. The Collector's default is 4.
    pub(super) max_recv_msg_size_mib: u32,
    /// Most requests at a time on one connection; 0: 1,000.
    pub(super) max_concurrent_streams: u32,
    /// Accepted, without effect.
    pub(super) read_buffer_size: u64,
    /// Accepted, without effect.
    pub(super) write_buffer_size: u64,
    /// Keep-alive.
    pub(super) keepalive: NullableBlock<KeepAlive>,
    /// Who may send.
    pub(super) auth: NullableBlock<AuthConfig>,
    /// Whether headers of requests are known to the pipelines as metadata of the client.
    pub(super) include_metadata: bool,
    /// Middlewares; not supported.
    pub(super) middlewares: Vec<IgnoredAny>,
}

/// Options of `dialer`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dialer {
    pub(super) timeout: Duration,
}

/// Options of `keepalive`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeepAlive {
    /// When connections are asked or ended.
    pub(super) server_parameters: ServerParameters,
    /// Accepted, without effect: an answer to a ping costs next to nothing.
    pub(super) enforcement_policy: EnforcementPolicy,
}

/// Options of `keepalive::server_parameters`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServerParameters {
    /// Connections without a request for so long are closed; 0: none.
    pub(super) max_connection_idle: Duration,
    /// Connections older than this are asked to end.
    pub(super) max_connection_age: Duration,
    /// And are ended after this much longer.
    pub(super) max_connection_age_grace: Duration,
    /// A silent connection is asked for a sign of life after this time.
    pub(super) time: Duration,
    /// And is closed if none comes within this time.
    pub(super) timeout: Duration,
}

/// Options of `keepalive::enforcement_policy`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EnforcementPolicy {
    pub(super) min_time: Duration,
    pub(super) permit_without_stream: bool,
}

/// Options of `protocols::http`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Where to listen: `host:port`, or a path where the transport is `unix`.
    pub(super) endpoint: String,
    /// `tcp` or `unix`.
    pub(super) transport: String,
    /// TLS; without it everything is sent in the clear.
    pub(super) tls: NullableBlock<ServerTls>,
    /// Which web pages may send, and how.
    pub(super) cors: NullableBlock<Cors>,
    /// Who may send.
    pub(super) auth: NullableBlock<HttpAuthConfig>,
    /// Largest body in bytes, compressed or not; 0 means the default of 64 MiB. The Collector's default is 20 MiB.
    pub(super) max_request_body_size: u64,
    /// Whether headers of requests are known to the pipelines as metadata of the client.
    pub(super) include_metadata: bool,
    /// Headers added to every response.
    pub(super) response_headers: Headers,
    /// The compressions that are accepted; all of them by default.
    pub(super) compression_algorithms: Vec<String>,
    /// A request must have arrived within this time; 0: no limit.
    pub(super) read_timeout: Duration,
    /// Its headers must have arrived within this time; 0: 75 s, so that half requests cannot pile up.
    pub(super) read_header_timeout: Duration,
    /// A request must be answered within this time; 0: no limit.
    pub(super) write_timeout: Duration,
    /// A connection without a request for so long is closed; 0: 75 s.
    pub(super) idle_timeout: Duration,
    /// Whether a connection serves more than one request.
    pub(super) keep_alives_enabled: bool,
    /// Middlewares; not supported.
    pub(super) middlewares: Vec<IgnoredAny>,
    /// Path of traces.
    pub(super) traces_url_path: String,
    /// Path of metrics.
    pub(super) metrics_url_path: String,
    /// Path of logs.
    pub(super) logs_url_path: String,
}

/// The size limit that the OTLP specification recommends, before and after decompression.
const DEFAULT_LIMIT_MIB: u32 = 64;

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = passing::read(section, &["protocols::http"])?;
        if !config.protocols.grpc.is_on() && !config.protocols.http.is_on() {
            return Err(section.error("", "must specify at least one protocol when using the OTLP receiver"));
        }
        if let Some(grpc) = config.protocols.grpc.as_ref() {
            let path = "protocols::grpc";
            check_listener(section, path, &grpc.endpoint, &grpc.transport)?;
            site::check(section, &format!("{path}::"), grpc.tls.as_ref(), &grpc.middlewares)?;
            if grpc.max_recv_msg_size_mib > 2047 {
                let subpath = "protocols::grpc::max_recv_msg_size_mib";
                return Err(section.error(subpath, "must be at most 2047"));
            }
        }
        if let Some(http) = config.protocols.http.as_ref() {
            let path = "protocols::http";
            check_listener(section, path, &http.endpoint, &http.transport)?;
            site::check(section, &format!("{path}::"), http.tls.as_ref(), &http.middlewares)?;
            let url_paths = [
                ("traces_url_path", &http.traces_url_path),
                ("metrics_url_path", &http.metrics_url_path),
                ("logs_url_path", &http.logs_url_path),
            ];
            for (option, url_path) in url_paths {
                if let Some(mistake) = url_path_mistake(url_path) {
                    let message = format!("invalid HTTP URL path {url_path:?} set for signal: {mistake}");
                    return Err(section.error(&format!("{path}::{option}"), message));
                }
            }
            for name in http.compression_algorithms.iter().filter(|name| Compression::from_header(name).is_none()) {
                let at = section.path();
                tracing::warn!(at, "compression_algorithms: {name:?} is not supported, requests with it are refused");
            }
        }
        config.limits.check(section, config.largest())?;
        Ok(config)
    }

    /// The largest request of any protocol, in bytes.
    pub(super) fn largest(&self) -> usize {
        let grpc = self.protocols.grpc.as_ref().map_or(0, Grpc::limit);
        grpc.max(self.protocols.http.as_ref().map_or(0, Http::limit))
    }
}

fn check_listener(section: &Section, path: &str, endpoint: &str, transport: &str) -> Result<(), ConfigError> {
    if !matches!(transport, "tcp" | "tcp4" | "tcp6" | "unix") {
        let message = format!("unknown transport {transport:?}: expected tcp or unix");
        return Err(section.error(&format!("{path}::transport"), message));
    }
    let at = format!("{path}::endpoint");
    // Nothing is a port that is free, on all interfaces, as with Go.
    if endpoint.is_empty() && transport != "unix" {
        return Ok(());
    }
    if endpoint.is_empty() {
        return Err(section.error(&at, "must not be empty"));
    }
    let port = endpoint.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if transport != "unix" && !matches!(port, Some(Ok(_))) {
        return Err(section.error(&at, format!("{endpoint:?} is no address: expected host:port")));
    }
    Ok(())
}

// === impl Grpc ===

impl Default for Grpc {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4317".to_owned(),
            transport: "tcp".to_owned(),
            dialer: Dialer::default(),
            tls: NullableBlock::default(),
            max_recv_msg_size_mib: DEFAULT_LIMIT_MIB,
            max_concurrent_streams: 0,
            read_buffer_size: 512 * 1024,
            write_buffer_size: 0,
            keepalive: NullableBlock::default(),
            auth: NullableBlock::default(),
            include_metadata: false,
            middlewares: Vec::new(),
        }
    }
}

impl Grpc {
    /// Largest message in bytes.
    pub(super) fn limit(&self) -> usize {
        let mib = if self.max_recv_msg_size_mib == 0 { DEFAULT_LIMIT_MIB } else { self.max_recv_msg_size_mib };
        (mib as usize) << 20
    }
}

// === impl ServerParameters ===

impl Default for ServerParameters {
    fn default() -> Self {
        Self {
            max_connection_idle: Duration::ZERO,
            max_connection_age: Duration::ZERO,
            max_connection_age_grace: Duration::ZERO,
            time: Duration::from_secs(2 * 60 * 60),
            timeout: Duration::from_secs(20),
        }
    }
}

// === impl Http ===

impl Default for Http {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4318".to_owned(),
            transport: "tcp".to_owned(),
            tls: NullableBlock::default(),
            cors: NullableBlock::default(),
            auth: NullableBlock::default(),
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
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
        }
    }
}

impl Http {
    /// Largest body in bytes.
    pub(super) fn limit(&self) -> usize {
        match self.max_request_body_size {
            0 => (DEFAULT_LIMIT_MIB as usize) << 20,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        }
    }

    /// Whether bodies are accepted with that in `Content-Encoding`, which may be nothing.
    pub(super) fn accepts(&self, encoding: &str) -> bool {
        let accepted = &self.compression_algorithms;
        accepted.is_empty() || accepted.iter().any(|name| name == encoding)
    }
}
