//! The sending part of exporters with a transport that follows a script, on a clock that stands still unless waited for.

mod batching;
mod config;
mod durable;
mod giving_up;
mod holding_up;
mod large;
mod queueing;
mod retrying;
mod stopping;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Opaque, Traces};
use spanmill_pipeline::{Signal, Telemetry};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

/// Options of an exporter that has no others.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Options {
    sending_queue: SendingQueue,
    retry_on_failure: RetryOnFailure,
}

/// Answers in the order of the script, with success after its end; notes every try, and lets it end once the gate is open.
struct Script {
    answers: Mutex<VecDeque<Result<Answer, SendError>>>,
    tries: mpsc::UnboundedSender<Try>,
    gate: Arc<Semaphore>,
    poison: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

/// One try to send.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Try {
    at: Duration,
    signal: Signal,
    items: usize,
    bytes: usize,
    /// Whose request it is.
    tenant: Vec<String>,
}

/// An exporter with a script behind it.
struct Rig {
    exporter: Arc<Sending<Timed>>,
    tries: mpsc::UnboundedReceiver<Try>,
    gate: Arc<Semaphore>,
    /// The backend is away for requests of so many items.
    poison: Arc<AtomicUsize>,
    /// It takes no requests of more bytes.
    largest: Arc<AtomicUsize>,
    telemetry: Telemetry,
}

/// A script that knows when the test began.
struct Timed(Script, Instant);

/// More tries than any test makes.
const OPEN: usize = 1 << 20;

// === impl Timed ===

#[async_trait]
impl Transport for Timed {
    type Request = Bytes;

    fn request(&self, batch: &Batch) -> Bytes {
        batch.encode()
    }

    async fn send(&self, signal: Signal, request: Bytes) -> Result<Answer, SendError> {
        let items = match signal {
            Signal::Traces => Traces::parse(request.clone()).unwrap().span_count(),
            _ => Opaque::parse(signal, request.clone()).unwrap().item_count(),
        };
        let Self(script, began) = self;
        // A test may have seen enough.
        let _ = script.tries.send(Try {
            at: began.elapsed(),
            signal,
            items,
            bytes: request.len(),
            tenant: Client::current(|client| client.metadata("x-tenant")),
        });
        script.gate.acquire().await.unwrap().forget();
        if items > 0 && items == script.poison.load(Ordering::Relaxed) {
            return away();
        }
        if request.len() > script.largest.load(Ordering::Relaxed) {
            return too_large();
        }
        script.answers.lock().unwrap().pop_front().unwrap_or(Ok(Answer::default()))
    }
}

// === impl Rig ===

impl Rig {
    /// A started exporter whose tries are answered at once.
    async fn open(yaml: &str, answers: impl IntoIterator<Item = Result<Answer, SendError>>) -> Self {
        Self::start(yaml, answers, OPEN).await
    }

    /// A started exporter whose tries are answered one by one, as the test allows it.
    async fn held(yaml: &str, answers: impl IntoIterator<Item = Result<Answer, SendError>>) -> Self {
        Self::start(yaml, answers, 0).await
    }

    async fn start(yaml: &str, answers: impl IntoIterator<Item = Result<Answer, SendError>>, open: usize) -> Self {
        Self::start_in(&Host::new(HashMap::new(), mpsc::unbounded_channel().0), yaml, answers, open).await
    }

    async fn start_in(
        host: &Host,
        yaml: &str,
        answers: impl IntoIterator<Item = Result<Answer, SendError>>,
        open: usize,
    ) -> Self {
        let (rig, started) = Self::make(host, yaml, answers, open).await;
        started.unwrap();
        rig
    }

    async fn make(
        host: &Host,
        yaml: &str,
        answers: impl IntoIterator<Item = Result<Answer, SendError>>,
        open: usize,
    ) -> (Self, Result<(), ComponentError>) {
        let section = Section::from_yaml("exporters::test", yaml).unwrap();
        let options: Options = section.parse().unwrap();
        options.sending_queue.check(&section).unwrap();
        options.retry_on_failure.check(&section).unwrap();
        let id: ComponentId = "test".parse().unwrap();
        let telemetry = Telemetry::default();
        let (sender, tries) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(open));
        let answers = Mutex::new(answers.into_iter().collect());
        let (poison, largest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(usize::MAX)));
        let script = Script {
            answers,
            tries: sender,
            gate: Arc::clone(&gate),
            poison: Arc::clone(&poison),
            largest: Arc::clone(&largest),
        };
        let transport = Timed(script, Instant::now());
        let context = Context { id: &id, section: &section, telemetry: &telemetry };
        let exporter = Arc::new(Sending::new(&context, transport, options.sending_queue, options.retry_on_failure));
        let started = exporter.start(host).await;
        (Self { exporter, tries, gate, poison, largest, telemetry }, started)
    }

    async fn consume(&self, batch: impl Into<Batch>) -> Result<(), ConsumeError> {
        self.exporter.consume(batch.into()).await
    }

    /// Consumes beside the test.
    fn consuming(&self, batch: impl Into<Batch>) -> JoinHandle<Result<(), ConsumeError>> {
        let (exporter, batch) = (Arc::clone(&self.exporter), batch.into());
        tokio::spawn(async move { exporter.consume(batch).await })
    }

    /// Shuts down beside the test.
    fn stopping(&self) -> JoinHandle<Result<(), ComponentError>> {
        let exporter = Arc::clone(&self.exporter);
        tokio::spawn(async move { exporter.shutdown().await })
    }

    /// Lets so many tries end.
    fn release(&self, tries: usize) {
        self.gate.add_permits(tries);
    }

    /// The next try.
    async fn next(&mut self) -> Try {
        self.tries.recv().await.unwrap()
    }

    /// Items of the next try, and after how many milliseconds it came.
    async fn next_items(&mut self) -> (usize, u128) {
        let one = self.next().await;
        (one.items, one.at.as_millis())
    }

    /// Whether nothing is sent for an hour.
    async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(3600), self.tries.recv()).await.is_err()
    }

    /// When the tries were that have been made, in milliseconds.
    fn times(&mut self) -> Vec<u128> {
        std::iter::from_fn(|| self.tries.try_recv().ok()).map(|one| one.at.as_millis()).collect()
    }

    fn counter(&self, name: &str) -> u64 {
        self.telemetry.counter(&format!("otelcol_exporter_{name}"), "", &[("exporter", "test")]).get()
    }

    fn gauge(&self, name: &str) -> i64 {
        self.telemetry.gauge(&format!("otelcol_exporter_{name}"), "", &[("exporter", "test")]).get()
    }

    /// Spans that were sent, that failed, and that did not fit the queue.
    fn spans(&self) -> [u64; 3] {
        ["sent_spans", "send_failed_spans", "enqueue_failed_spans"].map(|name| self.counter(name))
    }
}

/// Whether it goes on for an hour.
async fn is_waiting<T>(handle: &mut JoinHandle<T>) -> bool {
    tokio::time::timeout(Duration::from_secs(3600), handle).await.is_err()
}

/// A request of so many spans, of 14 bytes each.
fn spans(count: usize) -> Traces {
    Traces::parse(wrap(&b"\x12\x0c\x2a\x0aspan-name-".repeat(count))).unwrap()
}

/// A request of so many log records, of 5 bytes each.
fn records(count: usize) -> Opaque {
    Opaque::parse(Signal::Logs, wrap(&b"\x12\x03\x1a\x01x".repeat(count))).unwrap()
}

/// A logs request of about so many bytes, in a field that nobody knows. Clones share them.
fn large(len: usize) -> Opaque {
    let mut request = vec![0x7a];
    prost::encoding::encode_varint(len as u64, &mut request);
    request.resize(request.len() + len, 0);
    Opaque::parse(Signal::Logs, request.into()).unwrap()
}

/// One resource and one scope around items.
fn wrap(items: &[u8]) -> Bytes {
    let message = |tag: u8, body: &[u8]| {
        let mut out = vec![tag];
        prost::encoding::encode_varint(body.len() as u64, &mut out);
        out.extend_from_slice(body);
        out
    };
    message(0x0a, &message(0x12, items)).into()
}

fn away() -> Result<Answer, SendError> {
    Err(SendError::unreachable("away"))
}

fn refused() -> Result<Answer, SendError> {
    Err(SendError::permanent(Code::InvalidArgument, "bad data"))
}

fn too_large() -> Result<Answer, SendError> {
    Err(SendError { too_large: true, ..SendError::permanent(Code::ResourceExhausted, "larger than max") })
}

/// Away, and says when to come again.
fn throttled(wait: Duration) -> Result<Answer, SendError> {
    Err(SendError { retry_after: Some(wait), ..SendError::unreachable("busy") })
}
