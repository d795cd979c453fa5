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

/// How many spans a service collects before it sends them; what belongs to one visit is sent together.
const SPANS_PER_EXPORT: usize = 32;

/// Visits of one service that have not been sent yet, the spans of each.
#[derive(Default)]
struct Outbox(Vec<Vec<Scoped>>);

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
            outbox.0.push(spans);
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
    /// Sends everything, in the order in which visits ended, so many spans at a time.
    fn send(mut self, service: &'static Service, instance: &str, exports: &mut Vec<(u64, Export)>) {
        self.0.sort_by_key(|visit| last_end(visit));
        let mut ready = Vec::new();
        let mut visits = self.0.into_iter().peekable();
        while let Some(visit) = visits.next() {
            ready.extend(visit);
            if ready.len() >= SPANS_PER_EXPORT || visits.peek().is_none() {
                exports.push(export(service, instance, std::mem::take(&mut ready)));
            }
        }
    }
}

/// An export of those spans, in the order in which they ended, and its time.
fn export(service: &'static Service, instance: &str, mut spans: Vec<Scoped>) -> (u64, Export) {
    spans.sort_by_key(|scoped| scoped.span.end_time_unix_nano);
    let (time, count) = (last_end(&spans), spans.len());
    let calls = spans.iter().filter(|scoped| scoped.ends_call).count();
    let bytes = encode(service, instance, spans);
    (time, Export { service: service.name, bytes, spans: count, calls })
}

fn last_end(spans: &[Scoped]) -> u64 {
    spans.iter().map(|scoped| scoped.span.end_time_unix_nano).max().unwrap_or(0)
}
