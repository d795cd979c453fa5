//! The last data point of every series.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, SummaryDataPoint, metric, number_data_point::Value,
};
use prost::Message;
use tokio::time::Instant;

use super::config::Selection;
use super::merge;
use crate::connectors::metrics::proto_text;

/// All series, by what tells them apart.
#[derive(Debug)]
pub(super) struct Store {
    series: IndexMap<String, Series, RandomState>,
    selection: Selection,
    expiration: Duration,
    /// About how much memory they take.
    bytes: usize,
}

/// A series.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) unit: String,
    pub(super) point: Point,
    pub(super) scope: Arc<Scope>,
    pub(super) resource: Arc<[KeyValue]>,
    updated: Instant,
    /// About how much memory it takes.
    bytes: usize,
}

/// The scope of a series.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) schema_url: String,
    pub(super) attributes: Vec<KeyValue>,
}

/// A data point.
#[derive(Debug, Clone)]
pub(super) enum Point {
    Gauge(NumberDataPoint),
    Sum { point: NumberDataPoint, is_monotonic: bool },
    Histogram(HistogramDataPoint),
    Exponential(ExponentialHistogramDataPoint),
    Summary(SummaryDataPoint),
}

/// What became of the data points of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Points that cannot be shown, by why.
    pub(super) dropped: BTreeMap<&'static str, u64>,
}

/// A data point says that there is none.
const NO_RECORDED_VALUE: u32 = 1;
/// About how much memory may be taken; new series beyond are dropped, so that nobody can fill it.
const MOST_BYTES: usize = 512 << 20;

// === impl Store ===

impl Store {
    pub(super) fn new(selection: Selection, expiration: Duration) -> Self {
        Self { series: IndexMap::default(), selection, expiration, bytes: 0 }
    }

    /// Takes over the data points of a request.
    pub(super) fn take(&mut self, metrics: Vec<ResourceMetrics>) -> Taken {
        let mut taken = Taken::default();
        for of_resource in metrics {
            let resource: Arc<[KeyValue]> = of_resource.resource.unwrap_or_default().attributes.into();
            let labels: Vec<KeyValue> =
                resource.iter().filter(|attribute| self.selection.takes(&attribute.key)).cloned().collect();
            for ScopeMetrics { scope, metrics, schema_url } in of_resource.scope_metrics {
                let scope = scope.unwrap_or_default();
                let attributes = scope.attributes;
                let scope = Arc::new(Scope { name: scope.name, version: scope.version, schema_url, attributes });
                for metric in metrics {
                    self.take_metric(metric, &scope, &resource, &labels, &mut taken);
                }
            }
        }
        taken
    }

    fn take_metric(
        &mut self,
        metric: Metric,
        scope: &Arc<Scope>,
        resource: &Arc<[KeyValue]>,
        labels: &[KeyValue],
        taken: &mut Taken,
    ) {
        let Metric { name, description, unit, data, .. } = metric;
        let head = Series {
            name,
            description,
            unit,
            point: Point::Gauge(NumberDataPoint::default()),
            scope: Arc::clone(scope),
            resource: Arc::clone(resource),
            updated: Instant::now(),
            bytes: 0,
        };
        let (points, temporality) = match data {
            None => {
                *taken.dropped.entry("no_data").or_default() += 1;
                return;
            }
            Some(data) => points(data),
        };
        let keys: HashSet<&str> = labels.iter().map(|label| label.key.as_str()).collect();
        for mut point in points {
            if !labels.is_empty() {
                let attributes = point.attributes_mut();
                attributes.retain(|attribute| !keys.contains(attribute.key.as_str()));
                attributes.extend_from_slice(labels);
            }
            if let Err(reason) = self.take_point(Series { point, ..head.clone() }, temporality) {
                *taken.dropped.entry(reason).or_default() += 1;
            }
        }
    }

    /// Keeps a data point. Delta ones are added to what there is. Otherwise tells why it is dropped.
    fn take_point(&mut self, mut new: Series, temporality: Option<AggregationTemporality>) -> Result<(), &'static str> {
        let is_delta = temporality == Some(AggregationTemporality::Delta);
        match &new.point {
            Point::Sum { .. } if temporality == Some(AggregationTemporality::Unspecified) => {
                return Err("unspecified_temporality");
            }
            Point::Sum { is_monotonic: false, .. } if is_delta => return Err("non_monotonic_delta_sum"),
            _ => {}
        }
        let signature = new.signature();
        if new.point.flags() & NO_RECORDED_VALUE != 0 {
            let removed = self.series.swap_remove(&signature);
            self.bytes -= removed.map_or(0, |removed| removed.bytes);
            return Ok(());
        }
        let known = self.series.get_mut(&signature);
        if let Some(known) = &known {
            merge::onto(&known.point, &mut new.point, temporality)?;
        }
        let before = known.as_ref().map_or(0, |known| known.bytes);
        new.bytes = 512 + 2 * signature.len() + new.point.encoded_len();
        if known.is_none() && self.bytes + new.bytes > MOST_BYTES {
            return Err("store_full");
        }
        self.bytes = self.bytes - before + new.bytes;
        match known {
            Some(known) => *known = new,
            None => drop(self.series.insert(signature, new)),
        }
        Ok(())
    }

    /// The series that have not expired.
    pub(super) fn current(&mut self) -> Vec<Series> {
        self.expire();
        self.series.values().cloned().collect()
    }

    /// Forgets what has expired.
    pub(super) fn expire(&mut self) {
        let (now, expiration) = (Instant::now(), self.expiration);
        self.series.retain(|_, series| now.duration_since(series.updated) <= expiration);
        self.bytes = self.series.values().map(|series| series.bytes).sum();
    }
}

fn points(data: metric::Data) -> (Vec<Point>, Option<AggregationTemporality>) {
    let temporality = |number| AggregationTemporality::try_from(number).ok();
    match data {
        metric::Data::Gauge(gauge) => (gauge.data_points.into_iter().map(Point::Gauge).collect(), None),
        metric::Data::Sum(sum) => {
            let is_monotonic = sum.is_monotonic;
            let points = sum.data_points.into_iter().map(|point| Point::Sum { point, is_monotonic });
            (points.collect(), temporality(sum.aggregation_temporality))
        }
        metric::Data::Histogram(histogram) => {
            let points = histogram.data_points.into_iter().map(Point::Histogram).collect();
            (points, temporality(histogram.aggregation_temporality))
        }
        metric::Data::ExponentialHistogram(histogram) => {
            let points = histogram.data_points.into_iter().map(Point::Exponential).collect();
            (points, temporality(histogram.aggregation_temporality))
        }
        metric::Data::Summary(summary) => (summary.data_points.into_iter().map(Point::Summary).collect(), None),
    }
}

// === impl Series ===

impl Series {
    /// What tells it apart, as the Collector has it.
    fn signature(&self) -> String {
        let Scope { name, version, schema_url, attributes } = &*self.scope;
        let mut signature = [self.name.as_str(), self.point.kind(), name, version, schema_url, ""].join("*");
        for attributes in [attributes, self.point.attributes()] {
            let mut texts: Vec<String> = attributes
                .iter()
                .map(|attribute| format!("{}*{}*", attribute.key, proto_text(attribute.value.as_ref())))
                .collect();
            texts.sort_unstable();
            signature.extend(texts);
        }
        for (label, value) in [("job", job(&self.resource)), ("instance", instance(&self.resource))] {
            if let Some(value) = value {
                signature.extend([label, "*", &value, "*"]);
            }
        }
        signature
    }
}

/// The `job` of a resource.
pub(super) fn job(resource: &[KeyValue]) -> Option<String> {
    let name = attribute(resource, "service.name")?;
    Some(match attribute(resource, "service.namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    })
}

/// The `instance` of a resource.
pub(super) fn instance(resource: &[KeyValue]) -> Option<String> {
    attribute(resource, "service.instance.id")
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(proto_text(found.value.as_ref()))
}

// === impl Point ===

impl Point {
    pub(super) fn attributes(&self) -> &Vec<KeyValue> {
        match self {
            Self::Gauge(point) | Self::Sum { point, .. } => &point.attributes,
            Self::Histogram(point) => &point.attributes,
            Self::Exponential(point) => &point.attributes,
            Self::Summary(point) => &point.attributes,
        }
    }

    fn attributes_mut(&mut self) -> &mut Vec<KeyValue> {
        match self {
            Self::Gauge(point) | Self::Sum { point, .. } => &mut point.attributes,
            Self::Histogram(point) => &mut point.attributes,
            Self::Exponential(point) => &mut point.attributes,
            Self::Summary(point) => &mut point.attributes,
        }
    }

    fn encoded_len(&self) -> usize {
        match self {
            Self::Gauge(point) | Self::Sum { point, .. } => point.encoded_len(),
            Self::Histogram(point) => point.encoded_len(),
            Self::Exponential(point) => point.encoded_len(),
            Self::Summary(point) => point.encoded_len(),
        }
    }

    fn flags(&self) -> u32 {
        match self {
            Self::Gauge(point) | Self::Sum { point, .. } => point.flags,
            Self::Histogram(point) => point.flags,
            Self::Exponential(point) => point.flags,
            Self::Summary(point) => point.flags,
        }
    }

    /// Start and time, in nanoseconds since 1970.
    pub(super) fn times(&self) -> (u64, u64) {
        match self {
            Self::Gauge(point) | Self::Sum { point, .. } => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Histogram(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Exponential(point) => (point.start_time_unix_nano, point.time_unix_nano),
            Self::Summary(point) => (point.start_time_unix_nano, point.time_unix_nano),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Gauge(_) => "Gauge",
            Self::Sum { .. } => "Sum",
            Self::Histogram(_) => "Histogram",
            Self::Exponential(_) => "ExponentialHistogram",
            Self::Summary(_) => "Summary",
        }
    }
}

/// A number as a sample has it.
pub(super) fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Value::AsInt(value)) => value as f64,
        Some(Value::AsDouble(value)) => value,
        None => 0.0,
    }
}
