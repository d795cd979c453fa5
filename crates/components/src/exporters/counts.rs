//! What exporters count: the items that went out, and those that did not.

use prometheus::IntCounter;
use spanmill_pipeline::{Context, Signal};

/// The Collector's counters of one exporter.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Sent and failed, by signal.
    traces: [IntCounter; 2],
    metrics: [IntCounter; 2],
    logs: [IntCounter; 2],
}

// === impl Counts ===

impl Counts {
    pub(crate) fn new(context: &Context<'_>) -> Self {
        let id = context.id.to_string();
        let labels = [("exporter", id.as_str())];
        let pair = |items: &str, what: &str| {
            let sent = format!("Number of {what} successfully sent to destination.");
            let failed = format!("Number of {what} in failed attempts to send to destination.");
            [
                context.telemetry.counter(&format!("otelcol_exporter_sent_{items}"), &sent, &labels),
                context.telemetry.counter(&format!("otelcol_exporter_send_failed_{items}"), &failed, &labels),
            ]
        };
        Self {
            traces: pair("spans", "spans"),
            metrics: pair("metric_points", "metric points"),
            logs: pair("log_records", "log records"),
        }
    }

    /// All signals counted alike.
    pub(crate) fn alike(sent: &IntCounter, failed: &IntCounter) -> Self {
        let pair = || [sent.clone(), failed.clone()];
        Self { traces: pair(), metrics: pair(), logs: pair() }
    }

    /// Counts a batch of so many items.
    pub(crate) fn record(&self, signal: Signal, items: usize, sent: bool) {
        let [done, failed] = match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        };
        if sent { done } else { failed }.inc_by(items as u64);
    }
}
