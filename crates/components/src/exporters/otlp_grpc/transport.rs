use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_pipeline::auth::{self, ClientAuth};
use spanmill_pipeline::{Batch, Code, ComponentError, Host, Signal};
use spanmill_tls::{ClientTls, TlsError};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{Service, ServiceExt};

use super::config::Config;
use super::target::Target;
use crate::exporters::sending::{Answer, SendError, Transport};
use crate::net::body::{Pace, Unmetered};
use crate::net::compression::Compression;
use crate::net::frame::{OneMessage, read_message};
use crate::net::local::Local;
use crate::net::secure::{Secure, not_loaded};
use crate::net::service::grpc_path;
use crate::net::status::Received;

/// A backend that speaks OTLP over gRPC.
pub(crate) struct Grpc {
    endpoint: Endpoint,
    target: Target,
    tls: Option<ClientTls>,
    /// Made at the start, when the files of TLS are read.
    connecting: OnceLock<Connecting>,
    channel: OnceLock<Channel>,
    origin: Uri,
    compression: Compression,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Option<Duration>,
    /// The extension that authenticates, where there shall be one.
    authenticator: Option<Option<ComponentId>>,
    auth: OnceLock<Arc<dyn ClientAuth>>,
}

/// What connects.
enum Connecting {
    Plain,
    Secure(Secure),
    Local(Local),
}

/// Responses are small; a larger one is not read to its end.
const MAX_RESPONSE: usize = 4 << 20;

const USER_AGENT: &str = concat!("spanmill/", env!("CARGO_PKG_VERSION"));

// === impl Grpc ===

impl Grpc {
    pub(crate) fn new(config: &Config, section: &Section) -> Result<Self, ConfigError> {
        let invalid = |error: &dyn std::fmt::Display| {
            section.error("endpoint", format!("{:?} is no address: {error}", config.endpoint))
        };
        let target = Target::parse(&config.endpoint).map_err(|error| invalid(&error))?;
        let (authority, is_https) = (target.authority(), matches!(target, Target::Host { is_https: true, .. }));
        // Where connections are TLS by the scheme alone, the options about it say nothing, as with Go.
        let tls = if config.tls.is_off() { is_https.then(ClientTls::default) } else { Some(config.tls.clone()) };
        // Without TLS in its scheme: tonic would look for its own, which cannot do all that is asked for.
        let clear = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
        let agent = if config.user_agent.is_empty() { USER_AGENT } else { &config.user_agent };
        let mut endpoint = Endpoint::from(clear.map_err(|error| invalid(&error))?)
            .user_agent(agent)
            .map_err(|error| section.error("user_agent", error))?
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(20))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(1 << 20);
        if let Some(keepalive) = config.keepalive.as_ref() {
            endpoint = endpoint
                .http2_keep_alive_interval(keepalive.time.to_std())
                .keep_alive_timeout(keepalive.timeout.to_std())
                .keep_alive_while_idle(keepalive.permit_without_stream);
        }
        let authority = match config.authority.as_str() {
            "" => authority.parse::<Authority>().map_err(|error| invalid(&error))?,
            other => other.parse().map_err(|error| section.error("authority", error))?,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = Uri::builder().scheme(scheme).authority(authority).path_and_query("/");
        let origin = origin.build().map_err(|error| invalid(&error))?;
        let tls = tls.map(|mut tls| {
            if tls.server_name_override.is_empty() && !config.authority.is_empty() {
                // As with Go, whoever is asked for must be the one that answers.
                origin.host().unwrap_or_default().clone_into(&mut tls.server_name_override);
            }
            tls
        });
        let mut headers = Vec::new();
        for (name, value) in config.headers.iter() {
            let subpath = format!("headers::{name}");
            let header = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes())
                .map_err(|error| section.error(&subpath, error))?;
            let value = HeaderValue::from_str(value.expose()).map_err(|error| section.error(&subpath, error))?;
            headers.push((header, value));
        }
        Ok(Self {
            endpoint: endpoint.origin(origin.clone()),
            target,
            tls,
            connecting: OnceLock::new(),
            channel: OnceLock::new(),
            origin,
            compression: config.compression,
            headers,
            timeout: config.timeout.positive(),
            authenticator: config.auth.as_ref().map(|auth| auth.authenticator.clone()),
            auth: OnceLock::new(),
        })
    }

    /// What requests are addressed to.
    #[cfg(test)]
    pub(super) fn origin(&self) -> &Uri {
        &self.origin
    }

    /// Reads the files of TLS.
    fn connecting(&self) -> Result<Connecting, TlsError> {
        let tls = self.tls.as_ref().map(|tls| tls.connector(&["h2"])).transpose()?;
        Ok(match (&self.target, tls) {
            (Target::Unix(path), tls) => Connecting::Local(Local::new(path.clone(), tls)),
            (Target::Host { .. }, Some(tls)) => Connecting::Secure(Secure::new(tls)),
            (Target::Host { .. }, None) => Connecting::Plain,
        })
    }

    fn request(&self, signal: Signal, message: &Bytes) -> Result<Request<Body>, SendError> {
        let internal = |error: &dyn std::fmt::Display| SendError::permanent(Code::Internal, error.to_string());
        let encoding = self.compression.header();
        let body = self.compression.compress_grpc(message, None).map_err(|error| internal(&error))?;
        let uri = Uri::builder()
            .scheme(self.origin.scheme_str().unwrap_or("http"))
            .authority(self.origin.authority().map_or("", |authority| authority.as_str()))
            .path_and_query(grpc_path(signal))
            .build()
            .map_err(|error| internal(&error))?;
        let mut request = Request::new(Body::new(OneMessage::request(body, encoding.is_some())));
        *request.method_mut() = Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.extend(self.headers.iter().cloned());
        if let Some(auth) = self.auth.get() {
            auth.apply(headers)?;
        }
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        if let Some(encoding) = encoding {
            headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
        }
        Ok(request)
    }

    async fn exchange(&self, signal: Signal, message: &Bytes) -> Result<Answer, SendError> {
        let request = self.request(signal, message)?;
        // The connection is made by the first request, on the runtime that will drive it.
        let connecting = self.connecting.get();
        let connecting =
            connecting.ok_or_else(|| SendError::permanent(Code::Internal, "the exporter was not started"))?;
        let connect = || match connecting {
            Connecting::Plain => self.endpoint.connect_lazy(),
            Connecting::Secure(secure) => self.endpoint.connect_with_connector_lazy(secure.clone()),
            Connecting::Local(local) => self.endpoint.connect_with_connector_lazy(local.clone()),
        };
        let mut channel = self.channel.get_or_init(connect).clone();
        let ready = channel.ready().await.map_err(|error| SendError::unreachable(chain(&error)))?;
        let response = ready.call(request).await.map_err(|error| SendError::unreachable(chain(&error)))?;
        let (head, body) = response.into_parts();
        if let Some(status) = Received::from_headers(&head.headers) {
            check(&status)?;
        } else if !head.status.is_success() {
            return Err(not_grpc(head.status));
        }
        let message = read_message(body, MAX_RESPONSE, Pace::default(), &mut Unmetered).await;
        let message = message.map_err(|error| SendError::unreachable(error.to_string()))?;
        match message.trailers.as_ref().and_then(Received::from_headers) {
            Some(status) => check(&status)?,
            None if head.headers.contains_key("grpc-status") => {}
            None => return Err(SendError::unreachable("the response has no status")),
        }
        if message.compressed {
            // Only a partial success would have something to say, and it is not asked to compress that.
            return Ok(Answer::default());
        }
        Answer::decode(&message.bytes).map_err(|error| SendError::permanent(Code::Internal, error.to_string()))
    }
}

#[async_trait]
impl Transport for Grpc {
    type Request = Bytes;

    const READS_SPANS: bool = false;

    fn request(&self, batch: &Batch) -> Bytes {
        batch.encode()
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        // Started once only.
        let _ = self.connecting.set(self.connecting().map_err(|error| not_loaded(&error))?);
        let Some(id) = &self.authenticator else { return Ok(()) };
        let auth = auth::client(host, id.as_ref())?;
        if auth.is_secret() && self.origin.scheme_str() != Some("https") {
            let message = "the credentials require transport level security: this authenticator needs TLS";
            return Err(ComponentError::Other(message.to_owned()));
        }
        // Started once only.
        let _ = self.auth.set(auth);
        Ok(())
    }

    async fn send(&self, signal: Signal, request: Bytes) -> Result<Answer, SendError> {
        let exchange = self.exchange(signal, &request);
        match self.timeout {
            None => exchange.await,
            Some(limit) => tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| {
                let error = SendError::unreachable(format!("no answer within {limit:?}"));
                Err(SendError { code: Code::DeadlineExceeded, ..error })
            }),
        }
    }
}

/// The OTLP specification says which statuses are worth another try.
pub(super) fn check(status: &Received) -> Result<(), SendError> {
    let Some(code) = code(status.code) else { return Ok(()) };
    let retryable = match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // What recovers says so by `RetryInfo`, with a delay or without.
        Code::ResourceExhausted => status.retry_after.is_some(),
        _ => false,
    };
    let too_large = is_too_large(code, &status.message);
    let message = format!("rpc error: code = {code:?} desc = {}", status.message);
    let retry_after = status.retry_after.filter(|delay| !delay.is_zero());
    Err(SendError { code, retryable: retryable && !too_large, too_large, retry_after, message })
}

/// Whether a server takes smaller messages only: no status says so, but the words of grpc-go and grpc-java, and of tonic, do.
fn is_too_large(code: Code, message: &str) -> bool {
    match code {
        Code::ResourceExhausted => message.contains("larger than max") || message.contains("exceeds maximum size"),
        Code::OutOfRange => message.contains("message length too large"),
        _ => false,
    }
}

fn code(number: u32) -> Option<Code> {
    Some(match number {
        0 => return None,
        1 => Code::Cancelled,
        3 => Code::InvalidArgument,
        4 => Code::DeadlineExceeded,
        5 => Code::NotFound,
        6 => Code::AlreadyExists,
        7 => Code::PermissionDenied,
        8 => Code::ResourceExhausted,
        9 => Code::FailedPrecondition,
        10 => Code::Aborted,
        11 => Code::OutOfRange,
        12 => Code::Unimplemented,
        13 => Code::Internal,
        14 => Code::Unavailable,
        15 => Code::DataLoss,
        16 => Code::Unauthenticated,
        _ => Code::Unknown,
    })
}

/// gRPC's mapping of HTTP statuses, for proxies that answer in gRPC's stead.
fn not_grpc(status: http::StatusCode) -> SendError {
    let message = format!("the backend answered HTTP {status} instead of gRPC");
    match status.as_u16() {
        429 | 502..=504 => SendError::unreachable(message),
        401 => SendError::permanent(Code::Unauthenticated, message),
        403 => SendError::permanent(Code::PermissionDenied, message),
        404 => SendError::permanent(Code::Unimplemented, message),
        400 => SendError::permanent(Code::Internal, message),
        _ => SendError::permanent(Code::Unknown, message),
    }
}

/// An error with its causes: "transport error" alone helps nobody.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
