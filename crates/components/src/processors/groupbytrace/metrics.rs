use prometheus::{IntCounter, IntGauge};
use spanmill_pipeline::Telemetry;

/// What the processor counts, under the Collector's names where it has them.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) most_traces: IntGauge,
    pub(super) traces_held: IntGauge,
    pub(super) traces_released: IntCounter,
    pub(super) spans_released: IntCounter,
    pub(super) traces_evicted: IntCounter,
    pub(super) incomplete: IntCounter,
    /// Spans that are gone, with the reason.
    pub(super) evicted_spans: IntCounter,
    pub(super) refused_spans: IntCounter,
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(telemetry: &Telemetry, processor: &str) -> Self {
        let counter = |name: &str, help: &str| telemetry.counter(name, help, &[]);
        let gauge = |name: &str, help: &str| telemetry.gauge(name, help, &[]);
        let dropped = |reason: &str| {
            telemetry.counter(
                "spanmill_processor_groupbytrace_dropped_spans",
                "Spans of evicted traces, and of traces that the next component refused for good",
                &[("processor", processor), ("reason", reason)],
            )
        };
        Self {
            most_traces: gauge(
                "otelcol_processor_groupbytrace_conf_num_traces",
                "Maximum number of traces to hold in the internal storage",
            ),
            traces_held: gauge(
                "otelcol_processor_groupbytrace_num_traces_in_memory",
                "Number of traces currently in the in-memory storage",
            ),
            traces_released: counter(
                "otelcol_processor_groupbytrace_traces_released",
                "Traces released to the next consumer",
            ),
            spans_released: counter(
                "otelcol_processor_groupbytrace_spans_released",
                "Spans released to the next consumer",
            ),
            traces_evicted: counter(
                "otelcol_processor_groupbytrace_traces_evicted",
                "Traces evicted from the internal buffer",
            ),
            incomplete: counter(
                "otelcol_processor_groupbytrace_incomplete_releases",
                "Releases that are suspected to have been incomplete",
            ),
            evicted_spans: dropped("evicted"),
            refused_spans: dropped("refused"),
        }
    }
}
