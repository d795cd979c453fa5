use prometheus::{Histogram, IntCounter, IntGauge};
use spanmill_pipeline::{Level, Telemetry};

/// What the processor counts, under the Collector's names.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) size: Option<Histogram>,
    pub(super) bytes: Option<Histogram>,
    pub(super) full: IntCounter,
    pub(super) timeout: IntCounter,
    pub(super) cardinality: IntGauge,
    pub(super) dropped: IntCounter,
}

/// The Collector's buckets of items in a batch.
const ITEMS: [f64; 22] = [
    10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0, 7000.0, 8000.0,
    9000.0, 10_000.0, 20_000.0, 30_000.0, 50_000.0, 100_000.0,
];

/// The Collector's buckets of bytes in a batch.
const BYTES: [f64; 22] = [
    10.0,
    25.0,
    50.0,
    75.0,
    100.0,
    250.0,
    500.0,
    750.0,
    1000.0,
    2000.0,
    3000.0,
    4000.0,
    5000.0,
    10_000.0,
    20_000.0,
    50_000.0,
    100_000.0,
    200_000.0,
    400_000.0,
    800_000.0,
    1_000_000.0,
    9_000_000.0,
];

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(telemetry: &Telemetry, processor: &str) -> Self {
        let labels = [("processor", processor)];
        let detailed = telemetry.level() >= Level::Detailed;
        Self {
            size: telemetry.histogram(
                "otelcol_processor_batch_batch_send_size",
                "Number of units in the batch",
                &labels,
                &ITEMS,
            ),
            bytes: detailed
                .then(|| {
                    telemetry.histogram(
                        "otelcol_processor_batch_batch_send_size_bytes",
                        "Number of bytes in batch that was sent",
                        &labels,
                        &BYTES,
                    )
                })
                .flatten(),
            full: telemetry.counter(
                "otelcol_processor_batch_batch_size_trigger_send",
                "Number of times the batch was sent due to a size trigger",
                &labels,
            ),
            timeout: telemetry.counter(
                "otelcol_processor_batch_timeout_trigger_send",
                "Number of times the batch was sent due to a timeout trigger",
                &labels,
            ),
            cardinality: telemetry.gauge(
                "otelcol_processor_batch_metadata_cardinality",
                "Number of distinct metadata value combinations being processed",
                &labels,
            ),
            dropped: telemetry.counter(
                "spanmill_processor_batch_dropped_items",
                "Items that the next component refused for good, or could not take before the end",
                &labels,
            ),
        }
    }
}
