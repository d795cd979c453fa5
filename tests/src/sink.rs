//! A backend that knows what it was sent, and misbehaves as told: OTLP over gRPC and HTTP at one port.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, JoinSet};

use crate::ports;
use crate::wait::pause;

/// A running backend. Everything that it does ends with it.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    traces: Mutex<HashMap<u64, Taken>>,
    behaviour: Mutex<Behaviour>,
    /// The longest message that it takes, in bytes.
    largest: usize,
}

/// What it has of one trace, by the end of the trace's id. Spans have the numbers 1 to 64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// A bit for each span.
    pub spans: u64,
    /// How many times a span came that was there already.
    pub again: u64,
}

/// What it does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes it.
    Take,
    /// Takes it after a while.
    Slow(Duration),
    /// Refuses it with this status of HTTP, and the status of gRPC.
    Refuse(u16, u32),
    /// Reads some of it, and breaks the connection.
    Reset,
    /// Takes it and never says so.
    Silent,
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

// === impl Sink ===

impl Default for Sink {
    fn default() -> Self {
        Self::start()
    }
}

impl Sink {
    /// A backend that takes everything.
    pub fn start() -> Self {
        Self::limited(usize::MAX)
    }

    /// A backend that refuses messages of more bytes.
    pub fn limited(largest: usize) -> Self {
        let mut sink = Self::down(largest);
        sink.up();
        sink
    }

    /// A backend that does not listen yet.
    pub fn down(largest: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let shared = Shared { traces: Mutex::default(), behaviour: Mutex::new(Behaviour::Take), largest };
        let runtime = Some(runtime.expect("a runtime starts"));
        Self { port: ports::free(), shared: Arc::new(shared), runtime, listening: None }
    }

    /// Listens from now on.
    pub fn up(&mut self) {
        let runtime = self.runtime.as_ref().expect("it runs until it is dropped");
        // Without waiting, so that a test which is a task itself can start one.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("the port is free");
        listener.set_nonblocking(true).expect("a socket can be made not to block");
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener).expect("the runtime takes a listener");
        drop(entered);
        self.listening = Some(runtime.spawn(listen(listener, Arc::clone(&self.shared))));
    }

    /// Neither listens nor answers from now on: all connections are broken.
    pub fn away(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        listening.abort();
        let runtime = self.runtime.as_ref().expect("it runs until it is dropped");
        // The listener is closed when the task is gone.
        let _ = runtime.block_on(listening);
    }

    /// What it does with requests from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("no test has panicked with it") = behaviour;
    }

    /// All that it has taken.
    pub fn traces(&self) -> MutexGuard<'_, HashMap<u64, Taken>> {
        self.shared.traces.lock().expect("no test has panicked with it")
    }

    /// How many of these traces, of so many spans each, it does not have as a whole.
    pub fn missing(&self, traces: &[u64], spans: u64) -> usize {
        let all = u64::MAX >> (64 - spans);
        let taken = self.traces();
        traces.iter().filter(|trace| taken.get(trace).is_none_or(|taken| taken.spans & all != all)).count()
    }

    /// The same once none has come for a minute and a half, longer than anybody pauses between two attempts: what is missing then does not come.
    pub fn missing_in_the_end(&self, traces: &[u64], spans: u64) -> usize {
        let (mut fewest, mut since) = (usize::MAX, Instant::now());
        loop {
            let now = self.missing(traces, spans);
            if now < fewest {
                (fewest, since) = (now, Instant::now());
            }
            if now == 0 || since.elapsed() > Duration::from_secs(90) {
                return now;
            }
            pause(Duration::from_millis(100));
        }
    }

    /// How many different spans it has.
    pub fn count(&self) -> u64 {
        self.traces().values().map(|taken| u64::from(taken.spans.count_ones())).sum()
    }

    /// How many times a span came that was there already.
    pub fn duplicates(&self) -> u64 {
        self.traces().values().map(|taken| taken.again).sum()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

// === impl Shared ===

impl Shared {
    fn take(&self, request: &[u8]) -> bool {
        let Ok(request) = ExportTraceServiceRequest::decode(request) else { return false };
        let mut traces = self.traces.lock().expect("no test has panicked with it");
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            let taken = traces.entry(number(&span.trace_id)).or_default();
            let bit = 1 << (number(&span.span_id).wrapping_sub(1) % 64);
            taken.again += u64::from(taken.spans & bit != 0);
            taken.spans |= bit;
        }
        true
    }
}

/// The last eight bytes of an id.
fn number(id: &[u8]) -> u64 {
    id.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the listener.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&shared)));
    // A connection that a test breaks ends with an error.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: http::Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, std::io::Error> {
    let behaviour = *shared.behaviour.lock().expect("no test has panicked with it");
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_grpc = content_type.is_some_and(|value| value.starts_with("application/grpc"));
    let encoding = if is_grpc { "grpc-encoding" } else { "content-encoding" };
    let gzip = request.headers().get(encoding).is_some_and(|value| value == "gzip");
    let broken = || std::io::Error::other("broken on purpose");
    let mut body = request.into_body();
    if behaviour == Behaviour::Reset {
        let _ = body.frame().await;
        return Err(broken());
    }
    let mut message = whole(body).await?;
    if is_grpc {
        // One message: a flag, four bytes of length, and the request.
        message.advance(5.min(message.len()));
    }
    if gzip {
        let mut inflated = Vec::new();
        GzDecoder::new(&message[..]).read_to_end(&mut inflated)?;
        message = inflated.into();
    }
    match behaviour {
        Behaviour::Refuse(status, code) => return Ok(refusal(is_grpc, status, code, "refused on purpose")),
        Behaviour::Slow(time) => tokio::time::sleep(time).await,
        Behaviour::Take | Behaviour::Silent | Behaviour::Reset => {}
    }
    if message.len() > shared.largest {
        let text = format!("grpc: received message larger than max ({} vs. {})", message.len(), shared.largest);
        return Ok(refusal(is_grpc, 413, 8, &text));
    }
    if !shared.take(&message) {
        return Ok(refusal(is_grpc, 400, 3, "no request"));
    }
    if behaviour == Behaviour::Silent {
        std::future::pending::<()>().await;
    }
    Ok(success(is_grpc))
}

/// As large as what is under test sends it.
#[expect(clippy::disallowed_methods, reason = "the sender is a program under test")]
async fn whole(body: Incoming) -> Result<Bytes, std::io::Error> {
    Ok(body.collect().await.map_err(std::io::Error::other)?.to_bytes())
}

fn success(is_grpc: bool) -> Response<Body> {
    if !is_grpc {
        return with(StatusCode::OK, "application/x-protobuf", Full::new(Bytes::new()).boxed_unsync());
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
    let frames = [Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
    let body = StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>)));
    with(StatusCode::OK, "application/grpc", body.boxed_unsync())
}

fn refusal(is_grpc: bool, status: u16, code: u32, text: &str) -> Response<Body> {
    if !is_grpc {
        let status = StatusCode::from_u16(status).expect("a test refuses with a status of HTTP");
        return with(status, "text/plain", Full::new(Bytes::from(text.to_owned())).boxed_unsync());
    }
    let mut response = with(StatusCode::OK, "application/grpc", Full::new(Bytes::new()).boxed_unsync());
    response.headers_mut().insert("grpc-status", code.into());
    response.headers_mut().insert("grpc-message", text.parse().expect("the text fits a header"));
    response
}

fn with(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(content_type));
    response
}
