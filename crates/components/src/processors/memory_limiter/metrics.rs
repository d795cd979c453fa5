use prometheus::IntCounter;
use spanmill_pipeline::{Context, Signal};

/// What the processor counts of its signal, under the Collector's names.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) accepted: IntCounter,
    pub(super) refused: IntCounter,
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(context: &Context<'_>, signal: Signal) -> Self {
        let (items, what) = match signal {
            Signal::Traces => ("spans", "spans"),
            Signal::Metrics => ("metric_points", "metric points"),
            Signal::Logs => ("log_records", "log records"),
        };
        let id = context.id.to_string();
        let counter = |outcome: &str, help: &str| {
            let name = format!("otelcol_processor_memory_limiter_{outcome}_{items}");
            context.telemetry.counter(&name, &format!("Number of {what} {help}"), &[("processor", &id)])
        };
        Self {
            accepted: counter("accepted", "successfully pushed into the next component in the pipeline."),
            refused: counter("refused", "that were rejected by the next component in the pipeline."),
        }
    }
}
