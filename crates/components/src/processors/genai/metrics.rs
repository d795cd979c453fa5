use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use prometheus::IntCounter;
use spanmill_genai::Tally;
use spanmill_genai::content::ContentTally;
use spanmill_pipeline::Telemetry;

/// What the processor tells about itself.
pub(super) struct Metrics {
    by_source: Vec<IntCounter>,
    owners: IntCounter,
    duplicates: IntCounter,
    rollups: IntCounter,
    evicted: IntCounter,
    /// Requests that were held shorter than they should.
    pub(super) hurried: IntCounter,
    /// Held spans that the next component refused for good.
    pub(super) dropped: IntCounter,
    unpriced: Unpriced,
}

/// What is told of content.
pub(super) struct ContentMetrics {
    masked: Vec<IntCounter>,
    dropped: IntCounter,
    hashed: IntCounter,
    truncated: IntCounter,
    offloaded: IntCounter,
    pub(super) failed: IntCounter,
}

/// Calls without a cost, by model. Models come from the outside, so only so many are told apart.
struct Unpriced {
    telemetry: Telemetry,
    processor: String,
    by_model: Mutex<HashMap<String, IntCounter>>,
}

/// Models beyond this many are counted as `other`.
const MOST_MODELS: usize = 100;

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
            unpriced: Unpriced { telemetry: telemetry.clone(), processor: id.to_owned(), by_model: Mutex::default() },
            hurried: telemetry.counter(
                "spanmill_processor_genai_hold_released_early",
                "Held requests that were decided before their time, since hold_memory was full.",
                &[("processor", id)],
            ),
            dropped: telemetry.counter(
                "spanmill_processor_genai_dropped_spans",
                "Held spans that were dropped, since the next component refused them for good or while stopping.",
                &[("processor", id)],
            ),
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
        for (model, count) in &tally.unpriced {
            self.unpriced.count(model, *count);
        }
    }
}

// === impl ContentMetrics ===

impl ContentMetrics {
    pub(super) fn new<'a>(telemetry: &Telemetry, id: &str, masks: impl Iterator<Item = &'a str>) -> Self {
        let values = |action| {
            telemetry.counter(
                "spanmill_processor_genai_content_values",
                "Values of content that did not stay as they were, by what was done.",
                &[("processor", id), ("action", action)],
            )
        };
        let masked = |kind| {
            telemetry.counter(
                "spanmill_processor_genai_content_masked",
                "Secrets and personal data that were masked, by kind.",
                &[("processor", id), ("kind", kind)],
            )
        };
        Self {
            masked: masks.map(masked).collect(),
            dropped: values("drop"),
            hashed: values("hash"),
            truncated: values("truncate"),
            offloaded: values("offload"),
            failed: telemetry.counter(
                "spanmill_processor_genai_content_refused",
                "Requests that were refused, since their content could not be put aside.",
                &[("processor", id)],
            ),
        }
    }

    pub(super) fn count(&self, tally: &ContentTally) {
        for (counter, count) in self.masked.iter().zip(&tally.masked) {
            counter.inc_by(*count);
        }
        self.dropped.inc_by(tally.dropped);
        self.hashed.inc_by(tally.hashed);
        self.truncated.inc_by(tally.truncated);
        self.offloaded.inc_by(tally.offloaded);
    }
}

// === impl Unpriced ===

impl Unpriced {
    fn count(&self, model: &str, count: u32) {
        let mut known = self.by_model.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if known.contains_key(model) || known.len() < MOST_MODELS { model } else { "other" };
        let counter = known.entry(name.to_owned()).or_insert_with(|| {
            self.telemetry.counter(
                "spanmill_processor_genai_unpriced_calls",
                "Calls without a cost, since their model has no price.",
                &[("processor", &self.processor), ("model", name)],
            )
        });
        counter.inc_by(u64::from(count));
    }
}
