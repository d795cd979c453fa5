//! Releases traces when they have waited.

use std::sync::Arc;

use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::super::background::until;
use super::super::offer::offer;
use super::held::Held;
use super::metrics::Metrics;

/// Takes spans in and sends traces on, one after the other.
pub(super) struct Worker {
    pub(super) held: Held,
    pub(super) metrics: Metrics,
    pub(super) input: mpsc::Receiver<Traces>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) next: Arc<dyn Consumer>,
}

// === impl Worker ===

impl Worker {
    pub(super) async fn run(mut self) {
        loop {
            let deadline = self.held.deadline();
            tokio::select! {
                received = self.input.recv() => match received {
                    Some(traces) => self.take(traces),
                    None => break,
                },
                () = until(deadline) => self.release().await,
            }
        }
        // Nothing more will come: what waits goes as it is.
        while self.held.deadline().is_some() {
            self.release().await;
        }
    }

    fn take(&mut self, traces: Traces) {
        let Self { held, metrics, .. } = self;
        let mut evicted = 0;
        held.push(traces, Instant::now(), |_, trace| {
            evicted += 1;
            metrics.traces_evicted.inc();
            metrics.incomplete.inc();
            metrics.evicted_spans.inc_by(trace.span_count() as u64);
        });
        if evicted > 0 {
            tracing::warn!(
                traces = evicted,
                "traces evicted: a shorter wait_duration or a larger num_traces avoids it"
            );
        }
        metrics.traces_held.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
    }

    async fn release(&mut self) {
        let Some((_, trace)) = self.held.take_oldest() else { return };
        self.metrics.traces_held.set(i64::try_from(self.held.len()).unwrap_or(i64::MAX));
        let spans = trace.span_count() as u64;
        let composed = match trace.compose() {
            Ok(composed) => composed,
            Err(error) => {
                self.metrics.refused_spans.inc_by(spans);
                return tracing::error!(%error, spans, "spans dropped: their trace cannot be put together");
            }
        };
        drop(trace);
        self.metrics.traces_released.inc();
        self.metrics.spans_released.inc_by(spans);
        if let Err(error) = offer(&*self.next, Batch::Traces(composed), &mut self.stop).await {
            self.metrics.refused_spans.inc_by(spans);
            tracing::error!(%error, spans, "spans dropped: the next component refused their trace");
        }
    }
}
