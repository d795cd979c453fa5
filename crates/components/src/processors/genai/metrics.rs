use prometheus::IntCounter;
use spanmill_genai::Tally;
use spanmill_pipeline::Telemetry;

/// What the processor tells about itself.
pub(super) struct Metrics {
    by_source: Vec<IntCounter>,
    owners: IntCounter,
    duplicates: IntCounter,
    rollups: IntCounter,
    evicted: IntCounter,
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new<'a>(telemetry: &Telemetry, id: &str, sources: impl Iterator<Item = &'a str>) -> Self {
        let role = |role| {
            telemetry.counter(
                "spanmill_processor_genai_usage_spans",
                "Spans that carry token usage, by their role.",
                &[("processor", id), ("role", role)],
            )
        };
        let source = |source| {
            telemetry.counter(
                "spanmill_processor_genai_spans",
                "GenAI spans that were normalised, by recognised source.",
                &[("processor", id), ("source", source)],
            )
        };
        Self {
            by_source: sources.map(source).collect(),
            owners: role("owner"),
            duplicates: role("duplicate"),
            rollups: role("rollup"),
            evicted: telemetry.counter(
                "spanmill_processor_genai_usage_evictions",
                "Entries of the usage memory that gave way to newer ones.",
                &[("processor", id)],
            ),
        }
    }

    pub(super) fn count(&self, tally: &Tally) {
        for (counter, count) in self.by_source.iter().zip(&tally.by_source).filter(|(_, count)| **count > 0) {
            counter.inc_by(u64::from(*count));
        }
        self.owners.inc_by(u64::from(tally.owners));
        self.duplicates.inc_by(u64::from(tally.duplicates));
        self.rollups.inc_by(u64::from(tally.rollups));
        self.evicted.inc_by(tally.evicted);
    }
}
