use std::sync::Arc;

use spanmill_otlp::SplitLimit;
use spanmill_pipeline::{Batch, Consumer, Signal};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::super::background::until;
use super::super::offer::offer;
use super::config::Config;
use super::metrics::Metrics;

/// Collects requests and sends them on as batches, one after the other.
pub(super) struct Worker {
    config: Config,
    signal: Signal,
    input: mpsc::Receiver<Batch>,
    stop: watch::Receiver<bool>,
    next: Arc<dyn Consumer>,
    metrics: Metrics,
    pending: Pending,
}

/// What waits to be sent.
#[derive(Default)]
struct Pending {
    batches: Vec<Batch>,
    items: usize,
    bytes: usize,
    deadline: Option<Instant>,
}

/// What makes a batch be sent.
enum Trigger {
    Size,
    Timeout,
}

/// Encoded bytes after which a batch is sent whatever is configured: few items may be large ones.
const MOST_HELD: u64 = 64 << 20;

// === impl Worker ===

impl Worker {
    pub(super) fn new(
        config: Config,
        signal: Signal,
        input: mpsc::Receiver<Batch>,
        stop: watch::Receiver<bool>,
        next: Arc<dyn Consumer>,
        metrics: Metrics,
    ) -> Self {
        Self { config, signal, input, stop, next, metrics, pending: Pending::default() }
    }

    pub(super) async fn run(mut self: Box<Self>) {
        loop {
            let deadline = self.pending.deadline;
            tokio::select! {
                received = self.input.recv() => match received {
                    Some(batch) => {
                        self.pending.push(batch, &self.config);
                        if self.is_full() {
                            self.flush(Trigger::Size).await;
                        }
                    }
                    None => break,
                },
                () = until(deadline) => self.flush(Trigger::Timeout).await,
            }
        }
        self.flush(Trigger::Timeout).await;
    }

    fn is_full(&self) -> bool {
        let by_items = self.pending.items >= self.config.send_batch_size as usize;
        let enough = match self.config.send_batch_bytes {
            0 => MOST_HELD,
            bytes => bytes.min(MOST_HELD),
        };
        by_items || self.pending.bytes as u64 >= enough || self.config.timeout.is_zero()
    }

    async fn flush(&mut self, trigger: Trigger) {
        let pending = std::mem::take(&mut self.pending);
        if pending.batches.is_empty() {
            return;
        }
        match trigger {
            Trigger::Size => self.metrics.full.inc(),
            Trigger::Timeout => self.metrics.timeout.inc(),
        }
        let items = pending.items;
        match Batch::concat(self.signal, pending.batches) {
            Ok(joined) => {
                for batch in self.split(joined) {
                    self.send(batch).await;
                }
            }
            Err(error) => {
                self.metrics.dropped.inc_by(items as u64);
                tracing::error!(%error, items, "batch dropped: its requests cannot be joined");
            }
        }
    }

    fn split(&self, joined: Batch) -> Vec<Batch> {
        let mut parts = vec![joined];
        let limits = [
            SplitLimit::Items(self.config.send_batch_max_size as usize),
            SplitLimit::Bytes(usize::try_from(self.config.send_batch_max_bytes).unwrap_or(usize::MAX)),
        ];
        for limit in limits {
            parts = parts.into_iter().flat_map(|part| part.split(limit)).collect();
        }
        parts
    }

    /// Offers the batch until it is taken over, or refused for good. While it waits, so does everything behind it.
    async fn send(&mut self, batch: Batch) {
        let items = batch.item_count();
        if let Some(size) = &self.metrics.size {
            size.observe(items as f64);
        }
        if let Some(bytes) = &self.metrics.bytes {
            bytes.observe(batch.encoded_len() as f64);
        }
        if let Err(error) = offer(&*self.next, batch, &mut self.stop).await {
            self.metrics.dropped.inc_by(items as u64);
            tracing::error!(%error, items, "batch dropped: the next component refused it");
        }
    }
}

// === impl Pending ===

impl Pending {
    fn push(&mut self, batch: Batch, config: &Config) {
        if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + config.timeout.to_std());
        }
        self.items += batch.item_count();
        self.bytes += batch.encoded_len();
        self.batches.push(batch);
    }
}
