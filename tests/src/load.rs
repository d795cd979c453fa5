//! Senders that know which spans were acknowledged.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::grpc::Client;
use crate::spans;

/// What was sent, and what of it was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    next: AtomicU64,
    acknowledged: Mutex<HashSet<u64>>,
    refused: AtomicU64,
}

/// How senders send.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The receiver's port for gRPC.
    pub port: u16,
    /// How many send at a time, each one request after the other.
    pub senders: usize,
    /// Spans of a request.
    pub spans: u64,
    /// How long a sender waits between requests.
    pub pause: Duration,
}

/// Senders at work.
#[derive(Debug)]
pub struct Senders {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

// === impl Ledger ===

impl Ledger {
    /// Requests that were acknowledged.
    pub fn requests(&self) -> usize {
        self.acknowledged.lock().expect("no sender has panicked with it").len()
    }

    /// Requests that were answered with an error, or not at all.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The traces of the acknowledged requests: each request is one.
    pub fn acknowledged(&self) -> Vec<u64> {
        let seeds = self.acknowledged.lock().expect("no sender has panicked with it");
        seeds.iter().map(|seed| seed | 1 << 63).collect()
    }
}

// === impl Senders ===

impl Senders {
    /// Sends until stopped. Where nobody listens, senders wait until somebody does.
    pub fn start(load: Load, ledger: &Arc<Ledger>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let stop = Arc::new(AtomicBool::new(false));
        let tasks =
            (0..load.senders).map(|_| runtime.spawn(send(load, Arc::clone(ledger), Arc::clone(&stop)))).collect();
        Self { stop, tasks, runtime: Some(runtime) }
    }

    /// Lets senders finish their requests.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let runtime = self.runtime.take().expect("it is stopped once");
        for task in self.tasks.drain(..) {
            runtime.block_on(task).expect("a sender does not panic");
        }
    }
}

async fn send(load: Load, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) {
    let mut client = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(connected) = &client else {
            client = Client::try_connect(load.port).await.ok();
            if client.is_none() {
                sleep(Duration::from_millis(5)).await;
            }
            continue;
        };
        let seed = ledger.next.fetch_add(1, Ordering::Relaxed);
        let request = Bytes::from(mixed(seed, load.spans));
        match Client::export(connected, request).await {
            Ok(_) => {
                ledger.acknowledged.lock().expect("no sender has panicked with it").insert(seed);
            }
            Err(status) => {
                ledger.refused.fetch_add(1, Ordering::Relaxed);
                if status.code() != tonic::Code::ResourceExhausted {
                    client = None;
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        if !load.pause.is_zero() {
            sleep(load.pause).await;
        }
    }
}

/// Calls with and without content: one request of eight carries prompts.
fn mixed(seed: u64, count: u64) -> Vec<u8> {
    let usage = [
        spans::text("gen_ai.provider.name", "anthropic"),
        spans::text("gen_ai.operation.name", "chat"),
        spans::int("gen_ai.usage.output_tokens", 250),
    ];
    if !seed.is_multiple_of(8) {
        return spans::request_with("load", seed, count, &usage);
    }
    let prompt = "Summarise the incident report for the on-call engineer. ".repeat(40);
    let messages = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{prompt}"}}]}}]"#);
    let content = [spans::text("gen_ai.input.messages", &messages)];
    spans::request_with("load", seed, count, &[&usage[..], &content].concat())
}
