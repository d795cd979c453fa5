//! The receiver on real sockets: unix sockets in a folder of the test's own, so that no port is needed.

mod attributes;
mod config;
mod crowd;
mod flood;
mod grpc;
mod hostile;
mod http;
mod life;
mod secure;
mod slow;
mod smuggling;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::{Batch, Component, ConsumeError, Consumer, Context, Host, Outputs, Signal, Telemetry};
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::timeout;

use super::FACTORY;
use crate::net::compression::Compression;

/// The rest of the pipeline: remembers what it took over, answers as it is told, and can be held.
pub(super) struct Backend {
    taken: Mutex<Vec<Batch>>,
    answer: Mutex<Result<(), ConsumeError>>,
    ready: Mutex<Result<(), ConsumeError>>,
    entered: Notify,
    gate: Semaphore,
}

/// A started receiver.
pub(super) struct Setup {
    receiver: Arc<dyn Component>,
    backend: Arc<Backend>,
    telemetry: Telemetry,
    grpc: PathBuf,
    http: PathBuf,
    _folder: TempDir,
}

/// Every name that a request's compression may have, with what it is made by. Snappy goes in both of its formats.
const COMPRESSIONS: [(&str, Compression); 7] = [
    ("identity", Compression::None),
    ("gzip", Compression::Gzip),
    ("zstd", Compression::Zstd),
    ("deflate", Compression::Zlib),
    ("snappy", Compression::Snappy),
    ("snappy", Compression::SnappyFramed),
    ("x-snappy-framed", Compression::SnappyFramed),
];

// === impl Backend ===

#[async_trait]
impl Consumer for Backend {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.entered.notify_one();
        let _open = self.gate.acquire().await.unwrap();
        self.answer.lock().unwrap().clone()?;
        self.taken.lock().unwrap().push(batch);
        Ok(())
    }

    fn ready(&self) -> Result<(), ConsumeError> {
        self.ready.lock().unwrap().clone()
    }
}

impl Backend {
    /// What came in since the last time.
    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.taken.lock().unwrap()).iter().map(Batch::encode).collect()
    }

    fn answers(&self, answer: Result<(), ConsumeError>) {
        *self.answer.lock().unwrap() = answer;
    }
}

// === impl Setup ===

impl Setup {
    /// Starts a receiver with more options for gRPC and for HTTP, for traces and logs.
    async fn start(grpc_options: &str, http_options: &str) -> Self {
        Self::limited("", grpc_options, http_options).await
    }

    /// The same with limits.
    async fn limited(limits: &str, grpc_options: &str, http_options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (grpc, http) = (folder.path().join("grpc"), folder.path().join("http"));
        let yaml = format!(
            "{{protocols: {{grpc: {{transport: unix, endpoint: {grpc:?}, {grpc_options}}}, \
             http: {{transport: unix, endpoint: {http:?}, {http_options}}}}}, limits: {{{limits}}}}}"
        );
        let backend = Arc::new(Backend {
            taken: Mutex::default(),
            answer: Mutex::new(Ok(())),
            ready: Mutex::new(Ok(())),
            entered: Notify::new(),
            gate: Semaphore::new(1000),
        });
        let telemetry = Telemetry::default();
        let receiver = create(&yaml, &telemetry, &backend);
        receiver.start(&host()).await.unwrap();
        Self { receiver, backend, telemetry, grpc, http, _folder: folder }
    }

    /// How many requests and connections were refused for that reason.
    fn refused(&self, transport: &str, reason: &str) -> u64 {
        let labels = [("receiver", "otlp"), ("transport", transport), ("reason", reason)];
        self.telemetry.counter("spanmill_receiver_limited_requests", "", &labels).get()
    }

    /// Good traffic is served over both protocols.
    async fn serves(&self) {
        let good = spans(1, 1);
        let grpc = wire::Grpc::connect(&self.grpc).await.export(Signal::Traces, &good).await.grpc();
        assert_eq!(grpc.code, 0, "{grpc:?}");
        let http = wire::Http::connect(&self.http).await.protobuf("", good).await;
        assert_eq!(http.status, 200, "{http:?}");
        assert_eq!(self.backend.take().len(), 2);
    }

    /// Waits for what has no event of its own, such as a counter.
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), waiting).await.expect("it comes to hold");
    }

    fn count(&self, name: &str, transport: &str) -> u64 {
        self.telemetry.counter(name, "", &[("receiver", "otlp"), ("transport", transport)]).get()
    }
}

fn create(yaml: &str, telemetry: &Telemetry, backend: &Arc<Backend>) -> Arc<dyn Component> {
    let id = ComponentId::new("otlp", "").unwrap();
    let section = Section::from_yaml("receivers::otlp", yaml).unwrap();
    let next: Arc<dyn Consumer> = Arc::clone(backend) as _;
    let outputs = Outputs { traces: Some(Arc::clone(&next)), logs: Some(next), ..Outputs::default() };
    (FACTORY.create)(Context { id: &id, section: &section, telemetry }, outputs).unwrap()
}

fn host() -> Host {
    Host::new(HashMap::new(), mpsc::unbounded_channel().0)
}

/// An encoded request of so many spans, each with a name of that length.
fn spans(count: usize, name_len: usize) -> Bytes {
    let message = |tag: u8, body: &[u8]| {
        let mut out = vec![tag];
        prost::encoding::encode_varint(body.len() as u64, &mut out);
        out.extend_from_slice(body);
        out
    };
    let span = message(0x12, &message(0x2a, &vec![b'x'; name_len]));
    message(0x0a, &message(0x12, &span.repeat(count))).into()
}

/// A traces request of exactly so many bytes.
fn spans_of_len(len: usize) -> Bytes {
    let request = (0..64).map(|less| spans(1, len - less)).find(|request| request.len() == len);
    request.unwrap()
}

/// The paths and methods of the signals.
fn signals() -> [(Signal, &'static str); 3] {
    [(Signal::Traces, "/v1/traces"), (Signal::Metrics, "/v1/metrics"), (Signal::Logs, "/v1/logs")]
}
