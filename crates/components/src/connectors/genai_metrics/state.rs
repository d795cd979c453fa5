//! What has been counted: series by resource and metric.

use std::borrow::Cow;
use std::sync::Arc;

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use spanmill_otlp::{ResourceRef, Traces, ValueRef};
use tokio::time::Instant;

use super::call::{
    COST_CURRENCY, COST_SOURCE, Call, ERROR_CLASS, ERROR_TYPE, Part, Plan, SLOW_SMALL_CAUSE, Standing, TOKEN_TYPE,
};
use super::config::Config;
use super::failed::Above;
use super::metric::Metric;
use crate::connectors::metrics::{
    Buckets, Exemplars, Histogram, all, now, push_typed_text, put_resource_key, text_attribute,
};

/// All that is counted, and how.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Config,
    plan: Arc<Plan>,
    buckets: [Buckets; Metric::ALL.len()],
    pub(super) resources: IndexMap<Box<[u8]>, Resource, RandomState>,
    /// About how much memory all resources take.
    pub(super) bytes: usize,
    uses: u64,
    key: Vec<u8>,
    above: Above,
}

/// The series of one resource.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) attributes: Vec<KeyValue>,
    pub(super) metrics: [IndexMap<Box<[u8]>, Series, RandomState>; Metric::ALL.len()],
    /// The number of its last use.
    pub(super) used: u64,
    pub(super) last_seen: Instant,
}

/// What is counted under one set of attributes.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) attributes: Vec<KeyValue>,
    /// When it was first counted, in nanoseconds since 1970.
    pub(super) start: u64,
    pub(super) value: Value,
    pub(super) exemplars: Exemplars,
}

/// The value of a series.
#[derive(Debug)]
pub(super) enum Value {
    Histogram(Histogram),
    Double(f64),
    Count(u64),
}

/// An attribute that only one metric has.
type Own<'a> = Option<(&'static str, Cow<'a, [u8]>)>;

/// What a call adds to a metric.
struct Adding<'a> {
    metric: Metric,
    value: f64,
    own: [Own<'a>; 2],
}

/// Series that take what is beyond a limit.
const OVERFLOW: &str = "otel.metric.overflow";
/// So many series of a metric take what is beyond the limit, by what only this metric tells apart.
const MOST_OVERFLOWS: usize = 16;
/// About how much memory may be taken. Beyond it new series are counted as the series of all that overflows, and new resources not at
/// all: nobody can fill the memory.
const MOST_BYTES: usize = 256 << 20;

// === impl State ===

impl State {
    pub(super) fn new(config: Config) -> Self {
        let exponential = config.exponential.as_ref().map(|exponential| exponential.max_size);
        let buckets = Metric::ALL.map(|metric| match exponential {
            Some(max_size) => Buckets::Exponential(max_size),
            None => Buckets::Explicit(metric.about().bounds.into()),
        });
        let plan = Arc::new(Plan::new(&config));
        let (resources, above) = (IndexMap::default(), Above::default());
        Self { plan, buckets, resources, bytes: 0, uses: 0, key: Vec::new(), above, config }
    }

    /// Counts the calls of a request. Gives how many could not be counted, since there are too many resources.
    pub(super) fn count(&mut self, traces: &Traces) -> u64 {
        let mut failed = false;
        let owners = self.count_those(traces, |_, standing| {
            failed |= standing == Standing::Failed;
            standing == Standing::Owner
        });
        if !failed {
            return owners;
        }
        let mut above = std::mem::take(&mut self.above);
        above.learn(&self.plan, traces);
        let failed = self.count_those(traces, |call, standing| standing == Standing::Failed && !above.contains(call));
        self.above = above;
        owners + failed
    }

    fn count_those(&mut self, traces: &Traces, mut is_one: impl FnMut(&Call<'_, '_>, Standing) -> bool) -> u64 {
        let (time, instant) = (now(), Instant::now());
        let mut uncounted = 0;
        for resource in traces.resources() {
            let mut place = None;
            let plan = Arc::clone(&self.plan);
            let of_resource = plan.of_resource(resource.attributes());
            let mut call = plan.call();
            for span in resource.scopes().flat_map(|scope| scope.spans()) {
                let standing = call.read(span);
                if !is_one(&call, standing) {
                    continue;
                }
                // A resource without calls has no metrics.
                place = place.or_else(|| self.resource(resource, instant));
                match place {
                    Some(at) => self.count_call(at, &call, &of_resource, time),
                    None => uncounted += 1,
                }
            }
        }
        uncounted
    }

    fn count_call<'a>(&mut self, at: usize, call: &Call<'_, 'a>, of_resource: &[Option<ValueRef<'a>>], time: u64) {
        let Self { config, buckets, resources, bytes: total, key, .. } = self;
        let Some((_, resource)) = resources.get_index_mut(at) else { return };
        let limit = match config.aggregation_cardinality_limit {
            0 => usize::MAX,
            limit => limit as usize,
        };
        let most = if config.exemplars.enabled { config.exemplars.max_per_data_point as usize } else { 0 };
        for adding in additions(call).into_iter().flatten() {
            key.clear();
            adding.put_own(key);
            call.put_key(key, of_resource);
            let Some(series) = resource.metrics.get_mut(adding.metric as usize) else { continue };
            let Some(buckets) = buckets.get(adding.metric as usize) else { continue };
            let new = |attributes| Series {
                attributes,
                start: time,
                value: Value::new(adding.metric, buckets),
                exemplars: Exemplars::default(),
            };
            let place = match series.get_index_of(key.as_slice()) {
                Some(at) => at,
                None if series.len() < limit && *total < MOST_BYTES => {
                    *total += bytes(key);
                    let mut attributes = call.attributes(of_resource);
                    attributes.extend(adding.attributes());
                    series.insert_full(key.as_slice().into(), new(attributes)).0
                }
                None => {
                    key.clear();
                    key.extend_from_slice(OVERFLOW.as_bytes());
                    let mut attributes = vec![overflow()];
                    // Of tokens in and out, or of two currencies, no sum means anything.
                    let is_apart = matches!(adding.metric, Metric::Tokens | Metric::Cost);
                    if is_apart && series.len() < limit.saturating_add(MOST_OVERFLOWS) {
                        adding.put_own(key);
                        attributes.extend(adding.attributes());
                    }
                    match series.get_index_of(key.as_slice()) {
                        Some(at) => at,
                        None => series.insert_full(key.as_slice().into(), new(attributes)).0,
                    }
                }
            };
            if let Some((_, series)) = series.get_index_mut(place) {
                series.value.add(adding.value);
                series.exemplars.offer(most, call.trace_id, call.span_id, adding.value);
            }
        }
    }

    /// The place of a resource; none where there are too many.
    fn resource(&mut self, resource: ResourceRef<'_>, instant: Instant) -> Option<usize> {
        self.uses += 1;
        put_resource_key(&mut self.key, resource.attributes(), &[]);
        let at = match self.resources.get_index_of(self.key.as_slice()) {
            Some(at) => at,
            None if self.bytes >= MOST_BYTES => return None,
            None => {
                self.bytes += bytes(&self.key);
                let attributes = all(resource.attributes());
                let made = Resource { attributes, metrics: Default::default(), used: 0, last_seen: instant };
                self.resources.insert_full(self.key.as_slice().into(), made).0
            }
        };
        let (_, found) = self.resources.get_index_mut(at)?;
        (found.used, found.last_seen) = (self.uses, instant);
        Some(at)
    }
}

/// What a call adds.
fn additions<'a>(call: &Call<'_, 'a>) -> [Option<Adding<'a>>; 8] {
    let plain = |metric, value| Adding { metric, value, own: [None, None] };
    let text = |part, name| call.text(part).map(|text| (name, Cow::Borrowed(text)));
    let error = call.error();
    let failed = error.is_some();
    let own = [error.map(|error| (ERROR_TYPE, error)), text(Part::ErrorClass, ERROR_CLASS)];
    let duration = Adding { own, ..plain(Metric::Duration, call.seconds()) };
    let tokens = |part, kind: &'static [u8]| {
        let own = [Some((TOKEN_TYPE, Cow::Borrowed(kind))), None];
        call.number(part).map(|value| Adding { own, ..plain(Metric::Tokens, value) })
    };
    // All are of successful answers.
    let timing = |part, metric| if failed { None } else { Some(plain(metric, call.number(part)?)) };
    let cost = call.number(Part::Cost).map(|value| {
        let own = [text(Part::CostCurrency, COST_CURRENCY), text(Part::CostSource, COST_SOURCE)];
        Adding { own, ..plain(Metric::Cost, value) }
    });
    let slow = call.is_true(Part::SlowSmall).then(|| {
        let own = [text(Part::SlowSmallCause, SLOW_SMALL_CAUSE), None];
        Adding { own, ..plain(Metric::SlowSmall, 1.0) }
    });
    [
        Some(duration),
        tokens(Part::InputTokens, b"input"),
        tokens(Part::OutputTokens, b"output"),
        timing(Part::FirstChunk, Metric::FirstChunk),
        timing(Part::FirstChunk, Metric::FirstToken),
        timing(Part::PerToken, Metric::PerToken),
        cost,
        slow,
    ]
}

/// About what a series or a resource takes: its key, the same as attributes, and its numbers.
pub(super) fn bytes(key: &[u8]) -> usize {
    1024 + 2 * key.len()
}

fn overflow() -> KeyValue {
    let value = Some(AnyValue { value: Some(ProtoValue::BoolValue(true)) });
    KeyValue { key: OVERFLOW.to_owned(), value, ..KeyValue::default() }
}

// === impl Adding ===

impl Adding<'_> {
    /// Writes what only this metric tells apart.
    fn put_own(&self, key: &mut Vec<u8>) {
        for own in &self.own {
            match own {
                Some((_, value)) => push_typed_text(key, value),
                None => key.push(u8::MAX),
            }
        }
    }

    fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        self.own.iter().flatten().map(|(name, value)| text_attribute(name, value))
    }
}

// === impl Resource ===

impl Resource {
    /// About how much memory its series take.
    pub(super) fn bytes(&self) -> usize {
        self.metrics.iter().flat_map(|series| series.keys()).map(|key| bytes(key)).sum()
    }
}

// === impl Value ===

impl Value {
    fn new(metric: Metric, buckets: &Buckets) -> Self {
        match metric {
            Metric::Cost => Self::Double(0.0),
            Metric::SlowSmall => Self::Count(0),
            _ => Self::Histogram(Histogram::new(buckets)),
        }
    }

    fn add(&mut self, value: f64) {
        match self {
            Self::Histogram(histogram) => histogram.record(value, 1),
            Self::Double(sum) => *sum += value,
            Self::Count(count) => *count += 1,
        }
    }
}
