use std::sync::Arc;

use prometheus::{IntCounter, IntGauge};
use spanmill_pipeline::{Context, Operations, Running, Signal};

use super::config::SendingQueue;
use crate::exporters::counts::Counts;

/// What a sending exporter counts, under the Collector's names.
#[derive(Debug)]
pub(super) struct Metrics {
    counts: Counts,
    enqueue_failed: [IntCounter; 3],
    queue_size: Option<IntGauge>,
    operations: Arc<Operations>,
    /// What sending one of each signal is called.
    names: [Arc<str>; 3],
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(context: &Context<'_>, options: &SendingQueue) -> Self {
        let id = context.id.to_string();
        let labels = [("exporter", id.as_str())];
        let enqueue_failed = |items: &str, what: &str| {
            let help = format!("Number of {what} failed to be added to the sending queue.");
            context.telemetry.counter(&format!("otelcol_exporter_enqueue_failed_{items}"), &help, &labels)
        };
        let gauge = |name: &str, help: &str| context.telemetry.gauge(name, help, &labels);
        let queue_size = options.enabled.then(|| {
            let capacity = gauge("otelcol_exporter_queue_capacity", "Fixed capacity of the retry queue (in batches).");
            capacity.set(i64::try_from(options.queue_size).unwrap_or(i64::MAX));
            gauge("otelcol_exporter_queue_size", "Current size of the retry queue (in batches).")
        });
        let name = |signal: Signal| format!("exporter/{id}/{}", signal.as_str()).into();
        Self {
            operations: Arc::clone(context.telemetry.operations()),
            names: [Signal::Traces, Signal::Metrics, Signal::Logs].map(name),
            counts: Counts::new(context),
            enqueue_failed: [
                enqueue_failed("spans", "spans"),
                enqueue_failed("metric_points", "metric points"),
                enqueue_failed("log_records", "log records"),
            ],
            queue_size,
        }
    }

    /// Begins to send; none where nobody watches.
    pub(super) fn begin(&self, signal: Signal) -> Option<Running> {
        self.operations.begin(self.names.get(signal as usize)?)
    }

    pub(super) fn sent(&self, signal: Signal, items: usize) {
        self.counts.record(signal, items, true);
    }

    pub(super) fn failed(&self, signal: Signal, items: usize) {
        self.counts.record(signal, items, false);
    }

    pub(super) fn enqueue_failed(&self, signal: Signal, items: usize) {
        let [spans, points, records] = &self.enqueue_failed;
        match signal {
            Signal::Traces => spans,
            Signal::Metrics => points,
            Signal::Logs => records,
        }
        .inc_by(items as u64);
    }

    pub(super) fn queue_size(&self, size: usize) {
        if let Some(gauge) = &self.queue_size {
            gauge.set(i64::try_from(size).unwrap_or(i64::MAX));
        }
    }
}
