use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use spanmill_otlp::{AnyValue, SpanRef, Traces};

/// What processed spans say.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// How many there are.
    pub(super) spans: usize,
    /// Those that own the usage of a call: one a call that was answered.
    pub(super) owners: usize,
    /// Those that repeat the usage of another span.
    pub(super) duplicates: usize,
    /// Those that sum up the usage of others.
    pub(super) rollups: usize,
    /// Owners that took longer than five seconds.
    pub(super) slow: usize,
    /// Input tokens of the owners.
    pub(super) input_tokens: i64,
    /// Output tokens of the owners.
    pub(super) output_tokens: i64,
    /// Owners whose cost is known.
    pub(super) priced: usize,
    /// What they cost, in US dollars.
    pub(super) cost: f64,
    /// Traces with an error of a model, by its class.
    pub(super) errors: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// Those flagged as slow although small.
    pub(super) slow_small: Vec<SlowSmall>,
}

/// A call that was slow although it was small.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SlowSmall {
    pub(super) service: String,
    pub(super) model: String,
    pub(super) start_unix_nano: u64,
    pub(super) duration: Duration,
    pub(super) first_token: Option<Duration>,
    pub(super) input_tokens: Option<i64>,
    pub(super) output_tokens: Option<i64>,
    pub(super) cause: String,
    /// In hexadecimal digits.
    pub(super) trace_id: String,
}

const SLOW: Duration = Duration::from_secs(5);

// === impl Findings ===

impl Findings {
    /// Adds the spans of a request.
    pub(super) fn add(&mut self, traces: &Traces) {
        for span in traces.spans() {
            self.spans += 1;
            if let Some(class) = text(&span, "spanmill.error.class") {
                self.errors.entry(class).or_default().insert(span.trace_id().to_vec());
            }
            match text(&span, "spanmill.usage.role").as_deref() {
                Some("owner") => self.add_owner(&span),
                // A failed call that is told twice has no tokens that could be counted twice.
                Some("duplicate") => {
                    self.duplicates += usize::from(int(&span, "gen_ai.usage.input_tokens").is_some());
                }
                Some("rollup") => self.rollups += 1,
                _ => {}
            }
            let flagged = span.attribute("spanmill.slow_small").map(|value| value.get());
            if matches!(flagged, Some(AnyValue::Bool(true))) {
                self.slow_small.push(slow_small(&span));
            }
        }
    }

    fn add_owner(&mut self, span: &SpanRef<'_>) {
        self.owners += 1;
        self.slow += usize::from(duration(span) > SLOW);
        self.input_tokens += int(span, "gen_ai.usage.input_tokens").unwrap_or(0);
        self.output_tokens += int(span, "gen_ai.usage.output_tokens").unwrap_or(0);
        if let Some(AnyValue::Double(cost)) = span.attribute("gen_ai.usage.cost.amount").map(|value| value.get()) {
            self.priced += 1;
            self.cost += cost;
        }
    }

    /// How many slow small calls there are for each cause, the most frequent first.
    pub(super) fn causes(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &self.slow_small {
            *counts.entry(&call.cause).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

fn slow_small(span: &SpanRef<'_>) -> SlowSmall {
    let service = span.resource().attribute("service.name").and_then(|value| value.as_str());
    let model = text(span, "gen_ai.response.model").or_else(|| text(span, "gen_ai.request.model"));
    let first = span.attribute("gen_ai.response.time_to_first_chunk").map(|value| value.get());
    SlowSmall {
        service: service.unwrap_or_default().to_owned(),
        model: model.unwrap_or_default(),
        start_unix_nano: span.start_time_unix_nano(),
        duration: duration(span),
        first_token: match first {
            Some(AnyValue::Double(seconds)) => Duration::try_from_secs_f64(seconds).ok(),
            _ => None,
        },
        input_tokens: int(span, "gen_ai.usage.input_tokens"),
        output_tokens: int(span, "gen_ai.usage.output_tokens"),
        cause: text(span, "spanmill.slow_small.cause").unwrap_or_default(),
        trace_id: span.trace_id().iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn duration(span: &SpanRef<'_>) -> Duration {
    Duration::from_nanos(span.end_time_unix_nano().saturating_sub(span.start_time_unix_nano()))
}

fn text(span: &SpanRef<'_>, key: &str) -> Option<String> {
    Some(span.attribute(key)?.as_str()?.to_owned())
}

fn int(span: &SpanRef<'_>, key: &str) -> Option<i64> {
    span.attribute(key)?.as_int()
}
