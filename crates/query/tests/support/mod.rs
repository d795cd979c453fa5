//! A store with a recorded morning: simulated traffic as the processor `genai` leaves it, and what really happened.
//!
//! `cargo run -p spanmill-genai --example recorded_morning -- crates/query/tests/data && gzip -9nf crates/query/tests/data/*` records it.

#![allow(dead_code, unreachable_pub)]

use std::io::Read;
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use serde::Deserialize;
use spanmill_otlp::Traces;
use spanmill_query::{Limits, QueryService, Request};
use spanmill_store::{Options, Store};

/// When the morning ended.
pub(crate) const NOON: &str = "2026-11-26T12:00:00Z";

/// What really happened in a call.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) trace_id: String,
    pub(crate) start_unix_nano: i64,
    pub(crate) duration_ns: i64,
    pub(crate) ttft_ns: Option<i64>,
    pub(crate) input_tokens: i64,
    pub(crate) cached_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) answered: bool,
    pub(crate) duplicates: usize,
    pub(crate) slow_small: Option<String>,
}

fn unpacked(bytes: &[u8]) -> Bytes {
    let mut all = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut all).unwrap();
    all.into()
}

/// All requests of the morning.
pub(crate) fn requests() -> Vec<Traces> {
    let mut bytes = unpacked(include_bytes!("../data/morning.otlp.gz"));
    let mut requests = Vec::new();
    while bytes.has_remaining() {
        let length = bytes.get_u32() as usize;
        requests.push(Traces::parse(bytes.split_to(length)).unwrap());
    }
    requests
}

/// All calls of the morning.
pub(crate) fn calls() -> Vec<Call> {
    serde_json::from_slice(&unpacked(include_bytes!("../data/morning.json.gz"))).unwrap()
}

/// A store in a folder that is removed with it.
pub(crate) struct Filled {
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

/// An empty store that keeps spans of any age in their hour.
pub(crate) async fn empty() -> Filled {
    let folder = tempfile::tempdir().unwrap();
    let century = Duration::from_secs(100 * 365 * 86_400);
    let options = Options {
        max_past: century,
        max_future: century,
        query_threads: 2,
        ..Options::new(folder.path().to_str().unwrap())
    };
    Filled { store: Store::open(options, "writer").await.unwrap(), _folder: folder }
}

/// A store with the morning, the first half in files and the second in memory.
pub(crate) async fn morning() -> Filled {
    let filled = empty().await;
    let requests = requests();
    let half = requests.len() / 2;
    for (at, request) in requests.iter().enumerate() {
        if at == half {
            filled.store.seal().await.unwrap();
        }
        filled.store.add(request, None);
    }
    filled
}

/// The answer to SQL, in one batch.
pub(crate) async fn ask(service: &QueryService, request: Request) -> RecordBatch {
    let mut rows = service.run(request).await.unwrap();
    let batches = rows.collect().await.unwrap();
    arrow::compute::concat_batches(&rows.schema(), &batches).unwrap()
}

/// A service with the default limits.
pub(crate) fn service(store: &Store) -> QueryService {
    QueryService::new(store.clone(), Limits::default())
}
