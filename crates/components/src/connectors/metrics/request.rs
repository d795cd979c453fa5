//! Metrics as OTLP requests.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    self as proto, AggregationTemporality, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use spanmill_otlp::{Malformed, Opaque, Signal};
use spanmill_pipeline::Batch;

use super::exponential::Range;
use super::histogram::Histogram;

/// What all data points have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) attributes: Vec<KeyValue>,
    /// Nanoseconds since 1970; 0 is unknown.
    pub(crate) start: u64,
    pub(crate) time: u64,
    pub(crate) exemplars: Vec<Exemplar>,
}

/// A data point with a number.
pub(crate) fn number_point(point: Point, value: number_data_point::Value) -> NumberDataPoint {
    NumberDataPoint {
        attributes: point.attributes,
        start_time_unix_nano: point.start,
        time_unix_nano: point.time,
        exemplars: point.exemplars,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

/// A metric that is a sum; its name, unit and description are left to the caller.
pub(crate) fn sum_metric(
    data_points: Vec<NumberDataPoint>,
    temporality: AggregationTemporality,
    is_monotonic: bool,
) -> Metric {
    let sum = proto::Sum { data_points, aggregation_temporality: temporality.into(), is_monotonic };
    Metric { data: Some(metric::Data::Sum(sum)), ..Metric::default() }
}

/// A metric that is a histogram, exponential or not; its name, unit and description are left to the caller. All points must be of one kind.
pub(crate) fn histogram_metric<'h>(
    points: impl IntoIterator<Item = (Point, &'h Histogram)>,
    exponential: bool,
    temporality: AggregationTemporality,
) -> Metric {
    let (mut explicit_points, mut exponential_points) = (Vec::new(), Vec::new());
    for (point, histogram) in points {
        match histogram {
            Histogram::Explicit(histogram) => explicit_points.push(HistogramDataPoint {
                attributes: point.attributes,
                start_time_unix_nano: point.start,
                time_unix_nano: point.time,
                count: histogram.count,
                sum: Some(histogram.sum),
                bucket_counts: histogram.counts.to_vec(),
                explicit_bounds: histogram.bounds.to_vec(),
                exemplars: point.exemplars,
                ..HistogramDataPoint::default()
            }),
            Histogram::Exponential(histogram) => exponential_points.push(ExponentialHistogramDataPoint {
                attributes: point.attributes,
                start_time_unix_nano: point.start,
                time_unix_nano: point.time,
                count: histogram.count,
                sum: Some(histogram.sum),
                scale: histogram.scale(),
                zero_count: histogram.zero_count,
                positive: Some(buckets(&histogram.positive)),
                negative: Some(buckets(&histogram.negative)),
                exemplars: point.exemplars,
                min: (histogram.count > 0).then_some(histogram.min),
                max: (histogram.count > 0).then_some(histogram.max),
                ..ExponentialHistogramDataPoint::default()
            }),
        }
    }
    let aggregation_temporality = temporality.into();
    let data = if exponential {
        let histogram = proto::ExponentialHistogram { data_points: exponential_points, aggregation_temporality };
        metric::Data::ExponentialHistogram(histogram)
    } else {
        metric::Data::Histogram(proto::Histogram { data_points: explicit_points, aggregation_temporality })
    };
    Metric { data: Some(data), ..Metric::default() }
}

fn buckets(range: &Range) -> Buckets {
    Buckets { offset: range.offset, bucket_counts: range.counts.clone() }
}

/// The metrics of one resource, all of one scope.
pub(crate) fn resource_metrics(attributes: Vec<KeyValue>, scope: &str, metrics: Vec<Metric>) -> ResourceMetrics {
    let scope = InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() };
    ResourceMetrics {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }],
        ..ResourceMetrics::default()
    }
}

/// As one request.
///
/// # Errors
///
/// Fails where it is too large for a request.
pub(crate) fn to_batch(resource_metrics: Vec<ResourceMetrics>) -> Result<Batch, Malformed> {
    let encoded = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    Opaque::parse(Signal::Metrics, Bytes::from(encoded)).map(Batch::from)
}
