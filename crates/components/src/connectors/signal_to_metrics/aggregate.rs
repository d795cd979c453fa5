//! What the items of one request add up to.

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as PointValue;
use opentelemetry_proto::tonic::metrics::v1::{self as proto, AggregationTemporality, Metric, ResourceMetrics, metric};
use spanmill_ottl::Number;

use super::SCOPE;
use super::definition::{Definition, Value};
use crate::connectors::metrics::{
    Buckets, Histogram, Point, histogram_metric, now, number_point, resource_metrics, sum_metric,
};

/// Data points by resource and metric.
#[derive(Debug, Default)]
pub(super) struct Aggregates(IndexMap<Vec<u8>, Resource, RandomState>);

#[derive(Debug)]
struct Resource {
    attributes: Vec<KeyValue>,
    /// By the number of the metric's group.
    metrics: IndexMap<usize, Series, RandomState>,
}

type Series = IndexMap<Box<[u8]>, Counted, RandomState>;

#[derive(Debug)]
struct Counted {
    attributes: Vec<KeyValue>,
    value: Aggregate,
}

#[derive(Debug)]
enum Aggregate {
    Number(Number),
    Histogram(Histogram),
}

/// What an item gives to a metric.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given {
    Add(Number),
    Set(Number),
    Record { value: f64, times: u64 },
}

// === impl Aggregates ===

impl Aggregates {
    /// Takes over what an item gives. `resource` and `series` are the attributes of each, with the key that they are known by.
    pub(super) fn take(
        &mut self,
        definition: &Definition,
        (resource_key, resource): (&[u8], &[KeyValue]),
        (series_key, attributes): (&[u8], impl FnOnce() -> Vec<KeyValue>),
        given: Given,
    ) {
        if !self.0.contains_key(resource_key) {
            let resource = Resource { attributes: resource.to_vec(), metrics: IndexMap::default() };
            self.0.insert(resource_key.to_vec(), resource);
        }
        let Some(resource) = self.0.get_mut(resource_key) else { return };
        let series = resource.metrics.entry(definition.group).or_default();
        match series.get_mut(series_key) {
            Some(counted) => counted.value.take(given),
            None => {
                let mut value = Aggregate::new(&definition.value, given);
                if matches!(value, Aggregate::Histogram(_)) {
                    value.take(given);
                }
                series.insert(series_key.into(), Counted { attributes: attributes(), value });
            }
        }
    }

    /// As metrics.
    pub(super) fn metrics(self, definitions: &[Definition]) -> Vec<ResourceMetrics> {
        let time = now();
        let made = self.0.into_values().map(|resource| {
            let metrics = resource.metrics.into_iter();
            let metrics = metrics.filter_map(|(group, series)| Some(made(definitions.get(group)?, series, time)));
            resource_metrics(resource.attributes, SCOPE, metrics.collect())
        });
        made.collect()
    }
}

fn made(definition: &Definition, series: Series, time: u64) -> Metric {
    let temporality = AggregationTemporality::Delta;
    let point = |attributes| Point { attributes, time, ..Point::default() };
    let numbers = |series: Series| {
        let number = |counted: Counted| match counted.value {
            Aggregate::Number(Number::Int(value)) => {
                Some(number_point(point(counted.attributes), PointValue::AsInt(value)))
            }
            Aggregate::Number(Number::Double(value)) => {
                Some(number_point(point(counted.attributes), PointValue::AsDouble(value)))
            }
            Aggregate::Histogram(_) => None,
        };
        series.into_values().filter_map(number).collect::<Vec<_>>()
    };
    let metric = match &definition.value {
        Value::Sum { is_monotonic, .. } => sum_metric(numbers(series), temporality, *is_monotonic),
        Value::Gauge { .. } => {
            let gauge = proto::Gauge { data_points: numbers(series) };
            Metric { data: Some(metric::Data::Gauge(gauge)), ..Metric::default() }
        }
        Value::Histogram { buckets, .. } => {
            let exponential = matches!(buckets, Buckets::Exponential(_));
            let points = series.values().filter_map(|counted| match &counted.value {
                Aggregate::Histogram(histogram) => Some((point(counted.attributes.clone()), histogram)),
                Aggregate::Number(_) => None,
            });
            histogram_metric(points, exponential, temporality)
        }
    };
    let name = &definition.name;
    Metric { name: name.name.clone(), unit: name.unit.clone(), description: name.description.clone(), ..metric }
}

// === impl Aggregate ===

impl Aggregate {
    fn new(value: &Value, first: Given) -> Self {
        match (value, first) {
            (Value::Histogram { buckets, .. }, _) => Self::Histogram(Histogram::new(buckets)),
            (_, Given::Add(number) | Given::Set(number)) => Self::Number(number),
            (_, Given::Record { value, .. }) => Self::Number(Number::Double(value)),
        }
    }

    fn take(&mut self, given: Given) {
        match (self, given) {
            (Self::Number(sum), Given::Add(number)) => {
                *sum = match (*sum, number) {
                    (Number::Int(a), Number::Int(b)) => Number::Int(a.wrapping_add(b)),
                    // Once a sum has a fraction, so has all of it; the Collector's does not survive this.
                    (a, b) => Number::Double(a.as_double() + b.as_double()),
                };
            }
            (Self::Number(last), Given::Set(number)) => *last = number,
            (Self::Histogram(histogram), Given::Record { value, times }) => histogram.record(value, times),
            (Self::Number(_), Given::Record { .. }) | (Self::Histogram(_), _) => {}
        }
    }
}
