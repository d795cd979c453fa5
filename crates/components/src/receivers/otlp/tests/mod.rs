//! The receiver on real sockets: unix sockets in a folder of the test's own, so that no port is needed.

mod config;
mod grpc;
mod http;
mod life;
mod secure;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::{Batch, Component, ConsumeError, Consumer, Context, Host, Outputs, Signal, Telemetry};
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore, mpsc};

use super::FACTORY;
use crate::net::compression::Compression;

/// The rest of the pipeline: remembers what it took over, answers as it is told, and can be held.
pub(super) struct Backend {
    taken: Mutex<Vec<Batch>>,
    answer: Mutex<Result<(), ConsumeError>>,
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
        let folder = tempfile::tempdir().unwrap();
        let (grpc, http) = (folder.path().join("grpc"), folder.path().join("http"));
        let yaml = format!(
            "{{protocols: {{grpc: {{transport: unix, endpoint: {grpc:?}, {grpc_options}}}, \
             http: {{transport: unix, endpoint: {http:?}, {http_options}}}}}}}"
        );
        let backend = Arc::new(Backend {
            taken: Mutex::default(),
            answer: Mutex::new(Ok(())),
            entered: Notify::new(),
            gate: Semaphore::new(1000),
        });
        let telemetry = Telemetry::default();
        let receiver = create(&yaml, &telemetry, &backend);
        receiver.start(&host()).await.unwrap();
        Self { receiver, backend, telemetry, grpc, http, _folder: folder }
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
