//! What the exporter counts.

use prometheus::{IntCounter, IntGauge};
use spanmill_pipeline::Context;
use spanmill_store::{Sealed, Upkeep};

/// Counters of one exporter.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) sent: IntCounter,
    pub(crate) failed: IntCounter,
    pub(crate) hot_bytes: IntGauge,
    pub(crate) log_bytes: IntGauge,
    pub(crate) unreadable: IntCounter,
    sealed_spans: IntCounter,
    sealed_files: IntCounter,
    sealed_bytes: IntCounter,
    pub(crate) failures: IntCounter,
    compacted: IntCounter,
    expired_spans: IntCounter,
    duplicates: IntCounter,
    deleted: IntCounter,
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn new(context: &Context<'_>) -> Self {
        let id = context.id.to_string();
        let labels = [("exporter", id.as_str())];
        let counter = |name: &str, help: &str| context.telemetry.counter(name, help, &labels);
        let own = |name: &str, help: &str| counter(&format!("spanmill_exporter_spanstore_{name}"), help);
        Self {
            sent: counter("otelcol_exporter_sent_spans", "Number of spans successfully sent to destination."),
            failed: counter(
                "otelcol_exporter_send_failed_spans",
                "Number of spans in failed attempts to send to destination.",
            ),
            hot_bytes: context.telemetry.gauge(
                "spanmill_exporter_spanstore_hot_bytes",
                "Size of the spans that are in no file yet.",
                &labels,
            ),
            log_bytes: context.telemetry.gauge(
                "spanmill_exporter_spanstore_log_bytes",
                "Size of the log on disk.",
                &labels,
            ),
            unreadable: own("unreadable_records", "Number of records of the log that could not be read."),
            sealed_spans: own("sealed_spans", "Number of spans written to files."),
            sealed_files: own("sealed_files", "Number of files written."),
            sealed_bytes: own("sealed_bytes", "Size of the files written."),
            failures: own("failures", "Number of failed attempts to write files or to keep them in order."),
            compacted: own("compacted_pieces", "Number of pieces put together into others."),
            expired_spans: own("expired_spans", "Number of spans removed by age or size."),
            duplicates: own("duplicate_rows", "Number of rows that were there twice and were removed."),
            deleted: own("deleted_files", "Number of files deleted."),
        }
    }

    pub(crate) fn sealed(&self, sealed: Sealed) {
        self.sealed_spans.inc_by(sealed.spans);
        self.sealed_files.inc_by(sealed.files);
        self.sealed_bytes.inc_by(sealed.bytes);
    }

    pub(crate) fn upkeep(&self, done: Upkeep) {
        self.compacted.inc_by(done.compacted);
        self.expired_spans.inc_by(done.expired_spans);
        self.duplicates.inc_by(done.duplicates);
        self.deleted.inc_by(done.deleted);
    }
}
