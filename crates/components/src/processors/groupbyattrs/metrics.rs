use prometheus::{Histogram, IntCounter};
use spanmill_pipeline::Telemetry;

/// What the processor counts, under the Collector's names.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) grouped: IntCounter,
    pub(super) not_grouped: IntCounter,
    pub(super) groups: Option<Histogram>,
}

/// The Collector's buckets where a metric does not say which.
const BUCKETS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10_000.0];

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let counter = |name: &str, help: &str| telemetry.counter(name, help, &[]);
        Self {
            grouped: counter(
                "otelcol_processor_groupbyattrs_num_grouped_spans",
                "Number of spans that had attributes grouped",
            ),
            not_grouped: counter(
                "otelcol_processor_groupbyattrs_num_non_grouped_spans",
                "Number of spans that did not have attributes grouped",
            ),
            groups: telemetry.histogram(
                "otelcol_processor_groupbyattrs_span_groups",
                "Distribution of groups extracted for spans",
                &[],
                &BUCKETS,
            ),
        }
    }
}
