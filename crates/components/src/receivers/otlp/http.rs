//! OTLP over HTTP: protobuf and JSON.

use std::convert::Infallible;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use spanmill_otlp::{Limits, json as otlp_json};
use spanmill_pipeline::{Code, ConsumeError, Signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::util::option_layer;
use tower::{ServiceBuilder, service_fn};

use super::access::Access;
use super::config::Http;
use super::cors;
use super::intake::Intake;
use crate::net::body::{self, BodyError};
use crate::net::compression::{Compression, DecompressError};
use crate::net::listen::{Connection, Listener, Peer};
use crate::net::status;

/// Within which time the headers of a request must have arrived, where the configuration does not say. The time between two
/// requests counts, so it is longer than the minute at which many clients send.
const HEADER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(75);

/// Answers requests of one listener.
#[derive(Clone)]
struct Answerer {
    config: Arc<Http>,
    intake: Intake,
    access: Access,
    headers: Arc<[(HeaderName, HeaderValue)]>,
    /// Who the connection is from.
    peer: Peer,
}

/// The encoding of a request, and so of its response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// A request that is refused: as what, and why.
struct Refusal {
    status: StatusCode,
    error: ConsumeError,
}

/// Serves until `stop` changes, then finishes what is in flight.
pub(super) fn serve(
    listener: Listener,
    config: Arc<Http>,
    intake: Intake,
    access: Access,
    mut stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let headers = config.response_headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.expose()).ok()?))
    });
    let answerer = Answerer { headers: headers.collect(), config, intake, access, peer: Peer(None) };
    tokio::spawn(async move {
        let graceful = GracefulShutdown::new();
        loop {
            let connection = tokio::select! {
                connection = listener.accept() => connection,
                // The sender is gone only when the receiver itself is.
                _ = stop.wait_for(|stopping| *stopping) => break,
            };
            answerer.clone().spawn(connection, &graceful);
        }
        drop(listener);
        graceful.shutdown().await;
    })
}

// === impl Answerer ===

impl Answerer {
    fn spawn(self, connection: Connection, graceful: &GracefulShutdown) {
        let mut builder = Builder::new(TokioExecutor::new());
        let header_timeout = self.config.read_header_timeout.positive().unwrap_or(HEADER_TIMEOUT);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .keep_alive(self.config.keep_alives_enabled);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(64 << 10);
        let cors = option_layer(self.config.cors.as_ref().map(cors::layer));
        let answerer = Self { peer: connection.peer(), ..self };
        let service = ServiceBuilder::new().layer(cors).service(service_fn(move |request| {
            let answerer = answerer.clone();
            async move { Ok::<_, Infallible>(answerer.answer(request).await) }
        }));
        let serving = builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service));
        let serving = graceful.watch(serving.into_owned());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "an OTLP/HTTP connection ended badly");
            }
        });
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let encoding = request.headers().get(header::CONTENT_TYPE).and_then(encoding);
        let answering = self.receive(request, encoding);
        let result = match self.config.write_timeout.positive() {
            None => answering.await,
            Some(limit) => tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
                let error = ConsumeError::retryable("the request took too long").with_code(Code::DeadlineExceeded);
                Err(Refusal::from(error))
            }),
        };
        let mut response = match result {
            Ok(encoding) => encoding.success(),
            Err(refusal) => refusal.response(encoding),
        };
        for (name, value) in self.headers.iter() {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }

    async fn receive(&self, request: Request<Incoming>, encoding: Option<Encoding>) -> Result<Encoding, Refusal> {
        let (head, body) = request.into_parts();
        let identity = self.access.admit(&head).await?;
        let signal = self
            .signal(head.uri.path())
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, Code::NotFound, "404 page not found"))?;
        if head.method != Method::POST {
            let message = "405 method not allowed, supported: [POST]";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidArgument, message));
        }
        let encoding = encoding.ok_or_else(|| {
            let message = "415 unsupported media type, supported: [application/json, application/x-protobuf]";
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, message)
        })?;
        let compression = self.compression(&head.headers)?;
        let limit = self.config.limit();
        let reading = body::read(body, limit);
        let received = match self.config.read_timeout.positive() {
            None => reading.await,
            Some(time) => tokio::time::timeout(time, reading).await.unwrap_or(Err(BodyError::Silent)),
        };
        let body = received.map_err(|error| match error {
            BodyError::TooLarge(_) => too_large(limit),
            BodyError::Silent => {
                Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, "the body came too slowly")
            }
            BodyError::Broken(_) => Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, error.to_string()),
        })?;
        let bytes = compression.decompress(&body, limit).map_err(|error| match error {
            DecompressError::TooLarge(_) => too_large(limit),
            DecompressError::Invalid { .. } => {
                Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, error.to_string())
            }
        })?;
        let bytes =
            match encoding {
                Encoding::Protobuf => bytes,
                Encoding::Json => {
                    let limits = Limits { max_bytes: limit, ..Limits::default() };
                    let encoded = otlp_json::to_protobuf(signal, &bytes, &limits);
                    Bytes::from(encoded.map_err(|error| {
                        Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, error.to_string())
                    })?)
                }
            };
        self.access.serve(head, self.peer.0, identity, self.intake.take(signal, bytes)).await?;
        Ok(encoding)
    }

    /// The signal whose path it is, where a pipeline takes it.
    fn signal(&self, path: &str) -> Option<Signal> {
        let paths = [
            (&self.config.traces_url_path, Signal::Traces),
            (&self.config.metrics_url_path, Signal::Metrics),
            (&self.config.logs_url_path, Signal::Logs),
        ];
        let matching = |known: &str| path.trim_start_matches('/') == known.trim_start_matches('/');
        let found = paths.into_iter().find(|(known, _)| matching(known))?;
        self.intake.takes(found.1).then_some(found.1)
    }

    fn compression(&self, headers: &HeaderMap) -> Result<Compression, Refusal> {
        let value = headers.get(header::CONTENT_ENCODING);
        let name = value.map_or(Some(""), |value| value.to_str().ok());
        let known = name.and_then(Compression::from_header).filter(|found| self.config.accepts(*found));
        known.ok_or_else(|| {
            let message = format!("unsupported Content-Encoding: {}", name.unwrap_or("not even text"));
            Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
        })
    }
}

fn encoding(content_type: &HeaderValue) -> Option<Encoding> {
    // Parameters such as a charset do not change what it is, and neither does case (RFC 9110, section 8.3.1).
    let media_type = content_type.to_str().ok()?.split(';').next()?.trim();
    let is = |known: &str| media_type.eq_ignore_ascii_case(known);
    if is("application/x-protobuf") {
        Some(Encoding::Protobuf)
    } else if is("application/json") {
        Some(Encoding::Json)
    } else {
        None
    }
}

fn too_large(limit: usize) -> Refusal {
    let message = format!("the request is larger than {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, message)
}

// === impl Encoding ===

impl Encoding {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        })
    }

    /// An export response without partial success.
    fn success(self) -> Response<Full<Bytes>> {
        let body = match self {
            Self::Protobuf => Bytes::new(),
            Self::Json => Bytes::from_static(b"{}"),
        };
        let mut response = Response::new(Full::new(body));
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type());
        response
    }
}

// === impl Refusal ===

impl Refusal {
    fn new(status: StatusCode, code: Code, message: impl Into<Arc<str>>) -> Self {
        Self { status, error: ConsumeError::permanent(message).with_code(code) }
    }

    /// A `google.rpc.Status` in the request's encoding; plain text where that is not known.
    fn response(self, encoding: Option<Encoding>) -> Response<Full<Bytes>> {
        let plain = matches!(
            self.status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
        let (content_type, body) = match encoding.filter(|_| !plain) {
            None => (HeaderValue::from_static("text/plain"), Bytes::from(self.error.message.to_string())),
            Some(Encoding::Protobuf) => (Encoding::Protobuf.content_type(), status::encode(&self.error).into()),
            Some(Encoding::Json) => {
                let status = json!({"code": self.error.code as i32, "message": &*self.error.message});
                (Encoding::Json.content_type(), status.to_string().into())
            }
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if let Some(delay) = self.error.retry_after {
            // The header counts whole seconds; waiting less than asked would be of no use.
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ConsumeError> for Refusal {
    fn from(error: ConsumeError) -> Self {
        let status = match (error.code, error.retryable) {
            // 429 would make clients try again without end.
            (Code::ResourceExhausted, false) => StatusCode::PAYLOAD_TOO_LARGE,
            (code, _) => status::http_status(code),
        };
        Self { status, error }
    }
}
