//! What has been counted: series by resource.

use std::sync::Arc;

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use spanmill_otlp::{AnyValue, EventRef, ResourceRef, Traces, ValueRef};
use tokio::time::Instant;

use super::adjusted::Adjusted;
use super::config::{Config, SERVICE_NAME};
use super::plan::{Around, Metric, Plan};
use super::span::{Found, Reader, overlay};
use super::starts::Starts;
use super::table::{Moment, Table};
use crate::connectors::metrics::{Buckets, Histogram, all, now, put_resource_key};

/// All that is counted, and how.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Arc<Config>,
    pub(super) plan: Plan,
    /// None where durations are not measured.
    pub(super) buckets: Option<Buckets>,
    pub(super) resources: IndexMap<Box<[u8]>, Resource, RandomState>,
    /// About how much memory all resources take.
    pub(super) bytes: usize,
    pub(super) starts: Starts,
    uses: u64,
    key: Vec<u8>,
}

/// The series of one resource.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) attributes: Vec<KeyValue>,
    /// Calls, and durations with them where both have the same attributes.
    pub(super) calls: Table,
    pub(super) durations: Table,
    pub(super) events: Table,
    /// The number of its last use.
    pub(super) used: u64,
    pub(super) last_seen: Instant,
    /// Whether it is sent once more, then forgotten.
    pub(super) is_expired: bool,
}

/// About how much memory may be taken. Beyond it new series are counted as the series of all that overflows, however the limit is
/// configured, and new resources not at all: nobody can fill the memory.
const MOST_BYTES: usize = 512 << 20;

// === impl State ===

impl State {
    pub(super) fn new(config: Config, instance: &str) -> Self {
        let histogram = &config.histogram;
        let buckets = match (histogram.disable, histogram.exponential.as_ref()) {
            (true, _) => None,
            (false, Some(exponential)) => Some(Buckets::Exponential(exponential.max_size)),
            (false, None) => Some(Buckets::Explicit(config.bounds().into())),
        };
        Self {
            plan: Plan::new(&config, instance),
            starts: Starts::new(config.timestamp_cache_size()),
            buckets,
            resources: IndexMap::default(),
            bytes: 0,
            uses: 0,
            key: Vec::new(),
            config: Arc::new(config),
        }
    }

    /// Counts all spans of a request. Gives how many could not be counted, since there are too many resources.
    pub(super) fn count(&mut self, traces: &Traces) -> u64 {
        let moment = Moment { unix_nano: now(), instant: Instant::now() };
        let mut adjusted = Adjusted::default();
        let mut uncounted = 0;
        for resource in traces.resources() {
            let Some(service) = resource.attribute(SERVICE_NAME) else { continue };
            // Go asks the value for a text, which one of another type does not have.
            let service = match service.get() {
                AnyValue::Text(text) => text,
                _ => &[],
            };
            match self.resource(resource, moment.instant) {
                Some(at) => self.count_resource(at, resource, service, moment, &mut adjusted),
                None => uncounted += resource.scopes().map(|scope| scope.spans().count() as u64).sum::<u64>(),
            }
        }
        uncounted
    }

    fn count_resource<'a>(
        &mut self,
        at: usize,
        resource: ResourceRef<'a>,
        service: &'a [u8],
        moment: Moment,
        adjusted: &mut Adjusted<'a>,
    ) {
        let Self { config, plan, buckets, resources, bytes: total, key, .. } = self;
        let Some((_, counted)) = resources.get_index_mut(at) else { return };
        let limit = usize::try_from(config.aggregation_cardinality_limit).unwrap_or(0);
        let limit = if limit == 0 { usize::MAX } else { limit };
        let most = usize::try_from(config.exemplars.max_per_data_point).ok().filter(|_| config.exemplars.enabled);
        let (mut values, mut attributes) = (Vec::new(), Vec::new());
        overlay(plan, resource.attributes(), true, &mut values, &mut attributes);
        let (mut event_values, mut event_attributes) = (Vec::new(), Vec::new());
        let mut reader = Reader::new(plan);
        let unit = config.histogram.unit.nanos();
        let histogram = || buckets.as_ref().map(Histogram::new);
        let joint = plan.is_joint();
        let before = counted.bytes();
        for scope in resource.scopes() {
            let (scope_name, scope_version) = (scope.name(), scope.version());
            for span in scope.spans() {
                reader.read(span);
                let read = &reader.span;
                let duration = read.end.saturating_sub(read.start) as f64 / unit;
                let (times, is_adjusted) = adjusted.count(read.trace_state);
                let around = Around { service, scope_name, scope_version, is_adjusted };
                let found = Found { span: read, other_values: &values, other_attributes: &attributes };
                let room = if *total + counted.bytes() - before >= MOST_BYTES { 0 } else { limit };

                plan.put_key(key, Metric::Calls, &around, &found);
                let of_calls = || plan.attributes(Metric::Calls, &around, &found);
                let made = || if joint { histogram() } else { None };
                let (series, overflows) = counted.calls.series(key, room, moment, of_calls, made);
                if let Some(series) = series {
                    series.count = series.count.wrapping_add(times);
                    if let Some(most) = most.filter(|_| !overflows) {
                        series.exemplars.offer(most, read.trace_id, read.span_id, duration);
                        if joint && buckets.is_some() {
                            series.histogram_exemplars.offer(most, read.trace_id, read.span_id, duration);
                        }
                    }
                    if let Some(histogram) = &mut series.histogram {
                        histogram.record(duration, times);
                    }
                }
                if !joint && buckets.is_some() {
                    plan.put_key(key, Metric::Durations, &around, &found);
                    let of_durations = || plan.attributes(Metric::Durations, &around, &found);
                    let (series, overflows) = counted.durations.series(key, room, moment, of_durations, histogram);
                    if let Some(series) = series {
                        if let Some(most) = most.filter(|_| !overflows) {
                            series.histogram_exemplars.offer(most, read.trace_id, read.span_id, duration);
                        }
                        if let Some(histogram) = &mut series.histogram {
                            histogram.record(duration, times);
                        }
                    }
                }
                if config.events.enabled {
                    for event in span.events() {
                        lay_event(plan, event, (&values, &attributes), (&mut event_values, &mut event_attributes));
                        let found =
                            Found { span: read, other_values: &event_values, other_attributes: &event_attributes };
                        plan.put_key(key, Metric::Events, &around, &found);
                        let of_events = || plan.attributes(Metric::Events, &around, &found);
                        let (series, overflows) = counted.events.series(key, room, moment, of_events, || None);
                        if let Some(series) = series {
                            series.count = series.count.wrapping_add(times);
                            if let Some(most) = most.filter(|_| !overflows) {
                                series.exemplars.offer(most, read.trace_id, read.span_id, duration);
                            }
                        }
                    }
                }
            }
        }
        *total += counted.bytes() - before;
    }

    /// The place of a resource; none where there are too many.
    fn resource(&mut self, resource: ResourceRef<'_>, instant: Instant) -> Option<usize> {
        self.uses += 1;
        let wanted = &self.config.resource_metrics_key_attributes;
        put_resource_key(&mut self.key, resource.attributes(), wanted);
        let at = match self.resources.get_index_of(self.key.as_slice()) {
            Some(at) => at,
            None if self.bytes >= MOST_BYTES => return None,
            None => {
                self.bytes += resource_bytes(&self.key);
                let made = Resource {
                    attributes: all(resource.attributes()),
                    calls: Table::default(),
                    durations: Table::default(),
                    events: Table::default(),
                    used: 0,
                    last_seen: instant,
                    is_expired: false,
                };
                self.resources.insert_full(self.key.as_slice().into(), made).0
            }
        };
        let (_, found) = self.resources.get_index_mut(at)?;
        (found.used, found.last_seen, found.is_expired) = (self.uses, instant, false);
        Some(at)
    }
}

/// Values of dimensions by their place.
type Values<'a> = Vec<Option<ValueRef<'a>>>;
/// Attributes that globs are matched against.
type Attributes<'a> = Vec<(&'a [u8], ValueRef<'a>)>;

/// The attributes of an event, over those of the resource.
fn lay_event<'a>(
    plan: &Plan,
    event: EventRef<'a>,
    (values, attributes): (&Values<'a>, &Attributes<'a>),
    (event_values, event_attributes): (&mut Values<'a>, &mut Attributes<'a>),
) {
    event_values.clone_from(values);
    event_attributes.clear();
    overlay(plan, event.attributes(), false, event_values, event_attributes);
    event_attributes.extend_from_slice(attributes);
}

// === impl Resource ===

impl Resource {
    /// About how much memory its series take.
    pub(super) fn bytes(&self) -> usize {
        self.calls.bytes() + self.durations.bytes() + self.events.bytes()
    }
}

/// About what a resource itself takes.
pub(super) fn resource_bytes(key: &[u8]) -> usize {
    1024 + 2 * key.len()
}
