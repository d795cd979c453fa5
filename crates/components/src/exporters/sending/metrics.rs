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

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

/// The size of a queue; its capacity is set at once.
fn queue_size(context: &Context<'_>, options: &SendingQueue, prefix: &str, labels: [(&str, &str); 1]) -> IntGauge {
    let gauge = |name: &str, help: &str| context.telemetry.gauge(&format!("{prefix}_{name}"), help, &labels);
    let capacity = gauge("queue_capacity", "Fixed capacity of the retry queue (in batches).");
    capacity.set(i64::try_from(options.queue_size).unwrap_or(i64::MAX));
    gauge("queue_size", "Current size of the retry queue (in batches).")
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn of_exporter(context: &Context<'_>, options: &SendingQueue) -> Self {
        let id = context.id.to_string();
        let labels = [("exporter", id.as_str())];
        let enqueue_failed = |items: &str, what: &str| {
            let help = format!("Number of {what} failed to be added to the sending queue.");
            context.telemetry.counter(&format!("otelcol_exporter_enqueue_failed_{items}"), &help, &labels)
        };
        let failed = [
            enqueue_failed("spans", "spans"),
            enqueue_failed("metric_points", "metric points"),
            enqueue_failed("log_records", "log records"),
        ];
        let queue_size = options.enabled.then(|| queue_size(context, options, "otelcol_exporter", labels));
        let name = |signal: Signal| format!("exporter/{id}/{}", signal.as_str()).into();
        Self {
            operations: Arc::clone(context.telemetry.operations()),
            names: SIGNALS.map(name),
            counts: Counts::new(context),
            enqueue_failed: failed,
            queue_size,
        }
    }

    /// One counter for all signals: a processor is of a pipeline of one.
    pub(super) fn of_processor(context: &Context<'_>, options: &SendingQueue) -> Self {
        const PREFIX: &str = "otelcol_processor_queuebatch";
        let id = context.id.to_string();
        let labels = [("processor", id.as_str())];
        let counter =
            |what: &str, help: &str| context.telemetry.counter(&format!("{PREFIX}_{what}_items"), help, &labels);
        let failed = counter("enqueue_failed", "Number of items failed to be added to the queue.");
        let name = |signal: Signal| format!("processor/{id}/{}", signal.as_str()).into();
        Self {
            operations: Arc::clone(context.telemetry.operations()),
            names: SIGNALS.map(name),
            counts: Counts::alike(
                &counter("sent", "Number of items successfully sent to the next consumer."),
                &counter("send_failed", "Number of items that failed to be sent to the next consumer."),
            ),
            enqueue_failed: std::array::from_fn(|_| failed.clone()),
            queue_size: Some(queue_size(context, options, PREFIX, labels)),
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
