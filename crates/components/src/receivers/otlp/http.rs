//! OTLP over HTTP: protobuf and JSON.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use serde_json::json;
use spanmill_otlp::json as otlp_json;
use spanmill_pipeline::{Code, ConsumeError, Signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::util::option_layer;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::access::Access;
use super::config::Http;
use super::cors;
use super::gate::{Admitted, Gate};
use super::intake::Intake;
use super::refusals::Reason;
use crate::net::body::{self, BodyError};
use crate::net::compression::Compression;
use crate::net::life::Terms;
use crate::net::listen::{Listener, Peer};
use crate::net::media_type::media_type;
use crate::net::path;
use crate::net::serve::Server;
use crate::net::status;

/// Within which time the headers of a request must have arrived and the next one must have begun, where the configuration does not say:
/// longer than the minute at which many clients send.
const TIMEOUT: Duration = Duration::from_secs(75);

/// Most requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 250;

/// A refused body is read to its end in this time at most, so that its sender comes to read why.
const DRAINING: Duration = Duration::from_secs(5);

/// Answers requests of one listener.
#[derive(Clone)]
struct Answerer {
    config: Arc<Http>,
    intake: Intake,
    access: Access,
    headers: Arc<[(HeaderName, HeaderValue)]>,
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
    /// Where to ask instead.
    location: Option<HeaderValue>,
}

/// Serves until `stop` changes, then finishes what is in flight.
pub(super) fn serve(
    listener: Listener,
    config: &Arc<Http>,
    intake: &Intake,
    access: Access,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let headers = config.response_headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value.expose()).ok()?))
    });
    let gate = intake.gate();
    let cors = option_layer(config.cors.as_ref().map(cors::layer));
    let answerer =
        Arc::new(Answerer { headers: headers.collect(), config: Arc::clone(config), intake: intake.clone(), access });
    let answer = move |request: Request<Incoming>, peer: Peer| {
        let (answerer, cors) = (Arc::clone(&answerer), cors.clone());
        async move {
            let service = service_fn(|request| async { Ok::<_, Infallible>(answerer.answer(request, peer).await) });
            match ServiceBuilder::new().layer(cors).service(service).oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    };
    let server = Server {
        answer,
        protocol: protocol(config, gate),
        terms: Terms {
            head: Some(config.read_header_timeout.positive().unwrap_or(TIMEOUT)),
            idle: Some(config.idle_timeout.positive().unwrap_or(TIMEOUT)),
            age: None,
            given_up: gate.limits().max_given_up,
        },
        grace: None,
        places: gate.places(),
        refused: {
            let intake = intake.clone();
            Arc::new(move |what| intake.gate().unserved(what))
        },
    };
    tokio::spawn(server.run(listener, stop))
}

fn protocol(config: &Http, gate: &Gate) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The time for headers is up to the server, which tells waiting for a request from waiting for the rest of one.
    builder
        .http1()
        .header_read_timeout(None)
        .max_headers(gate.limits().max_headers)
        .keep_alive(config.keep_alives_enabled);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(gate.limits().header_bytes());
    builder
}

// === impl Answerer ===

impl Answerer {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
        let encoding = request.headers().get(header::CONTENT_TYPE).and_then(encoding);
        let answering = self.receive(request, encoding, peer);
        let result = match self.config.write_timeout.positive() {
            None => answering.await,
            Some(limit) => tokio::time::timeout(limit, answering).await.unwrap_or_else(|_| {
                let error = ConsumeError::retryable("the request took too long").with_code(Code::DeadlineExceeded);
                Err(Refusal::from(self.intake.gate().refuse(Reason::Timeout, error)))
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

    async fn receive(
        &self,
        request: Request<Incoming>,
        encoding: Option<Encoding>,
        peer: Peer,
    ) -> Result<Encoding, Refusal> {
        let gate = self.intake.gate();
        let (head, mut body) = request.into_parts();
        if head.version < Version::HTTP_2 {
            let fits = gate.check_headers(&head.headers);
            fits.map_err(|error| Refusal { status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ..error.into() })?;
        }
        let identity = self.access.admit(&head, gate).await?;
        // Before anything else, as the Collector does it.
        let compression = self.compression(&head.headers)?;
        let signal = self.signal(&head.uri)?;
        if head.method != Method::POST {
            let message = "405 method not allowed, supported: [POST]";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::InvalidArgument, message));
        }
        let encoding = encoding.ok_or_else(|| {
            let message = "415 unsupported media type, supported: [application/json, application/x-protobuf]";
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, message)
        })?;
        let tenant = gate.tenant(&head.headers)?;
        let (mut admitted, received) = match self.read(signal, &mut body).await {
            Ok(read) => read,
            Err(refusal) => {
                // Over HTTP/2 an answer overtakes a body; and who asked first has not begun to send.
                if head.version < Version::HTTP_2 && !head.headers.contains_key(header::EXPECT) {
                    body::drain(&mut body, gate.largest(), DRAINING).await;
                }
                return Err(refusal);
            }
        };
        let mut bytes = admitted.decompress(compression, received)?;
        if encoding == Encoding::Json {
            bytes = self.json_as_protobuf(signal, &bytes, &mut admitted)?;
        }
        let taking = self.intake.take(signal, bytes, tenant, admitted.into_room());
        self.access.serve(head, peer.0, identity, taking).await?;
        Ok(encoding)
    }

    /// Reads the whole body of a request that there is room for.
    async fn read(&self, signal: Signal, body: &mut Incoming) -> Result<(Admitted<'_>, Bytes), Refusal> {
        let gate = self.intake.gate();
        let mut admitted = gate.enter(self.intake.next(signal)).await?;
        let reading = body::read(body, gate.largest(), gate.pace(), &mut admitted);
        let received = match self.config.read_timeout.positive() {
            None => reading.await,
            Some(time) => tokio::time::timeout(time, reading).await.unwrap_or(Err(BodyError::Slow)),
        };
        let received = received.map_err(|error| {
            let status = match error {
                BodyError::Slow => Some(StatusCode::REQUEST_TIMEOUT),
                BodyError::Broken(_) => Some(StatusCode::BAD_REQUEST),
                BodyError::TooLarge(_) | BodyError::Refused(_) => None,
            };
            let refusal = Refusal::from(gate.body_error(error));
            Refusal { status: status.unwrap_or(refusal.status), ..refusal }
        })?;
        Ok((admitted, received))
    }

    /// As protobuf, which takes no more than JSON does.
    fn json_as_protobuf(
        &self,
        signal: Signal,
        text: &[u8],
        admitted: &mut Admitted<'_>,
    ) -> Result<Bytes, ConsumeError> {
        admitted.hold_now(text.len().saturating_mul(2))?;
        let encoded = otlp_json::to_protobuf(signal, text, self.intake.limits());
        let encoded = encoded.map_err(|error| self.intake.gate().malformed(error.to_string()))?;
        admitted.lower(encoded.len());
        Ok(encoded.into())
    }

    /// The signal whose path it is, where a pipeline takes it. Paths that are not clean are redirected as the Collector does it; but for those with
    /// slashes too many in front, which come of endpoints that end in one: not all exporters follow.
    fn signal(&self, asked: &Uri) -> Result<Signal, Refusal> {
        let path = match asked.path().trim_start_matches('/') {
            "" => asked.path(),
            rest => asked.path().get(asked.path().len() - rest.len() - 1..).unwrap_or_default(),
        };
        if !path::is_well_escaped(path) {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, "400 Bad Request"));
        }
        let clean = path::cleaned(path);
        if clean != path {
            return Err(Refusal::redirect(&clean, asked.query()));
        }
        let paths = [
            (&self.config.traces_url_path, Signal::Traces),
            (&self.config.metrics_url_path, Signal::Metrics),
            (&self.config.logs_url_path, Signal::Logs),
        ];
        let matching = paths.into_iter().filter(|(known, _)| path::matches(known, path));
        // What says more about the path wins over what stands for all below another.
        let closest = matching.max_by_key(|(known, _)| known.len()).map(|(_, signal)| signal);
        closest
            .filter(|signal| self.intake.takes(*signal))
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, Code::NotFound, "404 page not found\n"))
    }

    fn compression(&self, headers: &HeaderMap) -> Result<Compression, Refusal> {
        let value = headers.get(header::CONTENT_ENCODING);
        let name = value.map_or(Some(""), |value| value.to_str().ok());
        // What gRPC knows as no compression is unknown over HTTP, as with the Collector.
        let accepted = name.filter(|name| !matches!(*name, "identity" | "none") && self.config.accepts(name));
        let known = accepted.and_then(Compression::from_header);
        known.ok_or_else(|| {
            let message = format!("unsupported Content-Encoding: {}", name.unwrap_or("not even text"));
            Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
        })
    }
}

fn encoding(content_type: &HeaderValue) -> Option<Encoding> {
    match media_type(content_type.to_str().ok()?)?.as_str() {
        "application/x-protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
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
        Self { status, ..ConsumeError::permanent(message).with_code(code).into() }
    }

    fn redirect(path: &str, query: Option<&str>) -> Self {
        let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let refusal = Self::new(StatusCode::TEMPORARY_REDIRECT, Code::NotFound, "");
        Self { location: HeaderValue::try_from(location).ok(), ..refusal }
    }

    /// A `google.rpc.Status` in the request's encoding; plain text where that is not known.
    fn response(self, encoding: Option<Encoding>) -> Response<Full<Bytes>> {
        let plain = matches!(
            self.status,
            StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
                | StatusCode::TEMPORARY_REDIRECT
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
        match self.location {
            Some(location) => response.headers_mut().insert(header::LOCATION, location),
            None => response.headers_mut().insert(header::CONTENT_TYPE, content_type),
        };
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
        Self { status, error, location: None }
    }
}
