use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus::{IntCounter, IntGauge};
use spanmill_pipeline::{Context, Operations, Running, Signal};

use super::config::SendingQueue;
use crate::exporters::counts::Counts;

/// What a sending exporter counts, under the Collector's names.
#[derive(Debug)]
pub(super) struct Metrics {
    counts: Counts,
    enqueue_failed: [IntCounter; 3],
    queue_size: Option<Share>,
    operations: Arc<Operations>,
    /// What sending one of each signal is called.
    names: [Arc<str>; 3],
}

/// What one of several adds to a gauge: while the configuration changes, the exporter before it may still hold requests.
#[derive(Debug)]
struct Share {
    gauge: IntGauge,
    /// What of it is ours.
    ours: AtomicI64,
}

/// By their numbers.
pub(super) const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

/// The size of a queue; its capacity is set at once.
fn queue_size(context: &Context<'_>, options: &SendingQueue, prefix: &str, labels: [(&str, &str); 1]) -> Share {
    let gauge = |name: &str, help: &str| context.telemetry.gauge(&format!("{prefix}_{name}"), help, &labels);
    let capacity = gauge("queue_capacity", "Fixed capacity of the retry queue (in batches).");
    capacity.set(i64::try_from(options.queue_size).unwrap_or(i64::MAX));
    Share::new(gauge("queue_size", "Current size of the retry queue (in batches)."))
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
        if let Some(share) = &self.queue_size {
            share.set(i64::try_from(size).unwrap_or(i64::MAX));
        }
    }
}

// === impl Share ===

impl Share {
    fn new(gauge: IntGauge) -> Self {
        Self { gauge, ours: AtomicI64::new(0) }
    }

    fn set(&self, value: i64) {
        let before = self.ours.swap(value, Ordering::Relaxed);
        self.gauge.add(value.saturating_sub(before));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use spanmill_config::{ComponentId, Section};
    use spanmill_pipeline::Telemetry;

    use super::*;

    /// Scenario: the configuration changes while an exporter holds five requests; the new one holds two, then the old one is done, and goes.
    /// Guarantees: the size is that of both as long as there are two.
    #[test]
    fn the_size_is_of_all() {
        let section = Section::from_yaml("exporters::test", "{}").unwrap();
        let id: ComponentId = "test".parse().unwrap();
        let telemetry = Telemetry::default();
        let context = Context { id: &id, section: &section, telemetry: &telemetry };
        let seen = || telemetry.gauge("otelcol_exporter_queue_size", "", &[("exporter", "test")]).get();
        let old = Metrics::of_exporter(&context, &SendingQueue::default());
        old.queue_size(5);
        let new = Metrics::of_exporter(&context, &SendingQueue::default());
        new.queue_size(0);
        assert_eq!(seen(), 5);
        new.queue_size(2);
        old.queue_size(4);
        assert_eq!(seen(), 6);
        drop(old);
        assert_eq!(seen(), 2);
    }
}
