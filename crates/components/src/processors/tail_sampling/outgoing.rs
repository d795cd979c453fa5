//! Sampled traces on their way to the next component.

use std::sync::Arc;

use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, Consumer};
use tokio::sync::watch;

use super::super::offer::offer;
use super::metrics::{Metrics, Reason};

/// Joins sampled traces into requests of some size.
pub(super) struct Outgoing {
    next: Arc<dyn Consumer>,
    stop: watch::Receiver<bool>,
    waiting: Vec<Traces>,
    bytes: usize,
}

/// Encoded bytes at which a request is sent.
const ENOUGH: usize = 1 << 20;

// === impl Outgoing ===

impl Outgoing {
    pub(super) fn new(next: Arc<dyn Consumer>, stop: watch::Receiver<bool>) -> Self {
        Self { next, stop, waiting: Vec::new(), bytes: 0 }
    }

    /// Whether it is time to end.
    pub(super) fn stop(&self) -> &watch::Receiver<bool> {
        &self.stop
    }

    pub(super) async fn push(&mut self, traces: Traces, metrics: &Metrics) {
        self.bytes += traces.encoded_len();
        self.waiting.push(traces);
        if self.bytes >= ENOUGH {
            self.flush(metrics).await;
        }
    }

    /// Offers what waits until it is taken over, or refused for good. While it waits, so does everything behind it.
    pub(super) async fn flush(&mut self, metrics: &Metrics) {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        if waiting.is_empty() {
            return;
        }
        let spans = waiting.iter().map(Traces::span_count).sum::<usize>() as u64;
        let joined = match Traces::concat(waiting) {
            Ok(joined) => joined,
            Err(error) => {
                metrics.dropped(Reason::Unreadable, spans);
                tracing::error!(processor = %metrics.processor, %error, spans, "sampled spans dropped: they cannot be joined");
                return;
            }
        };
        if let Err(error) = offer(&*self.next, Batch::Traces(joined), &mut self.stop).await {
            metrics.dropped(Reason::Refused, spans);
            tracing::error!(processor = %metrics.processor, %error, spans, "sampled spans dropped: the next component refused them");
        }
    }
}
