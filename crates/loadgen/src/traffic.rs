use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::nanos;
use crate::catalogue::{SERVICES, Service};
use crate::dialect::Scoped;
use crate::dice::Dice;
use crate::export::{Export, encode};
use crate::story::{Visit, visit};
use crate::truth::Truth;

/// What traffic to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where chance begins. The same options give the same bytes.
    pub seed: u64,
    /// At least so many calls; the last visit is finished.
    pub calls: usize,
    /// The latest end of a span, in nanoseconds since 1970.
    pub now_unix_nano: u64,
    /// Over which time before that the visits are spread.
    pub period: Duration,
}

/// Exports of several services in the order of time, and what really happened.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// What the services send.
    pub exports: Vec<Export>,
    /// What they did.
    pub truth: Truth,
}

/// How many spans a service collects before it sends them.
const SPANS_PER_EXPORT: usize = 64;

/// Spans of one service that have not been sent yet.
#[derive(Default)]
struct Outbox(Vec<Scoped>);

// === impl Options ===

impl Options {
    /// How long before the end the visit happens that follows so many calls.
    fn time_left(&self, calls: usize) -> Duration {
        let left = u32::try_from(self.calls.saturating_sub(calls)).unwrap_or(u32::MAX);
        let all = u32::try_from(self.calls).unwrap_or(u32::MAX).max(1);
        self.period.mul_f64(f64::from(left) / f64::from(all))
    }
}

// === impl Traffic ===

impl Traffic {
    /// Makes traffic.
    pub fn generate(options: &Options) -> Self {
        let mut dice = Dice::new(options.seed);
        let mut truth = Truth::default();
        let mut outboxes: BTreeMap<&'static str, (&'static Service, Outbox)> = BTreeMap::new();
        while truth.calls.len() < options.calls {
            let Some(service) = SERVICES.get(dice.weighted(SERVICES.iter().map(|service| service.weight))) else {
                break;
            };
            let ago = dice.share(options.time_left(truth.calls.len()), 96, 100);
            let (_, outbox) = outboxes.entry(service.name).or_insert_with(|| (service, Outbox::default()));
            let cold = outbox.0.is_empty();
            let Visit { calls, spans, rollups } = visit(service, cold, options.now_unix_nano - nanos(ago), &mut dice);
            truth.spans += spans.len();
            truth.rollups += rollups;
            truth.calls.extend(calls);
            outbox.0.extend(spans);
        }
        let mut exports: Vec<(u64, Export)> = Vec::new();
        for (service, outbox) in outboxes.into_values() {
            outbox.send(service, &dice.hex(32), &mut exports);
        }
        exports.sort_by_key(|(time, _)| *time);
        Self { exports: exports.into_iter().map(|(_, export)| export).collect(), truth }
    }
}

// === impl Outbox ===

impl Outbox {
    /// Sends everything: spans in the order in which they ended, so many at a time.
    fn send(mut self, service: &'static Service, instance: &str, exports: &mut Vec<(u64, Export)>) {
        self.0.sort_by_key(|scoped| scoped.span.end_time_unix_nano);
        let mut left = self.0.into_iter().peekable();
        while left.peek().is_some() {
            let spans: Vec<Scoped> = left.by_ref().take(SPANS_PER_EXPORT).collect();
            let time = spans.last().map_or(0, |scoped| scoped.span.end_time_unix_nano);
            let (count, calls) = (spans.len(), spans.iter().filter(|scoped| scoped.ends_call).count());
            let bytes = encode(service, instance, spans);
            exports.push((time, Export { service: service.name, bytes, spans: count, calls }));
        }
    }
}
