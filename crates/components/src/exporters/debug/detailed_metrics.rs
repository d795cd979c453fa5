//! Verbosity `detailed`: every field of metrics.

use std::f64::consts::LN_2;

use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as ExemplarValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
};

use super::detailed::{Lines, name_of};
use super::text::{fixed, id, time};

const TITLE: &str = "Data point attributes";

pub(super) fn add(lines: &mut Lines, metric: &Metric) {
    lines.add("Descriptor:");
    lines.add(format!("     -> Name: {}", metric.name));
    lines.add(format!("     -> Description: {}", metric.description));
    lines.add(format!("     -> Unit: {}", metric.unit));
    let kind = match &metric.data {
        Some(Data::Gauge(_)) => "Gauge",
        Some(Data::Sum(_)) => "Sum",
        Some(Data::Histogram(_)) => "Histogram",
        Some(Data::ExponentialHistogram(_)) => "ExponentialHistogram",
        Some(Data::Summary(_)) => "Summary",
        None => "Empty",
    };
    lines.add(format!("     -> DataType: {kind}"));
    lines.attributes("     -> Metadata", &metric.metadata);
    match &metric.data {
        Some(Data::Gauge(data)) => numbers(lines, &data.data_points),
        Some(Data::Sum(data)) => {
            lines.add(format!("     -> IsMonotonic: {}", data.is_monotonic));
            temporality(lines, data.aggregation_temporality);
            numbers(lines, &data.data_points);
        }
        Some(Data::Histogram(data)) => {
            temporality(lines, data.aggregation_temporality);
            for (at, point) in data.data_points.iter().enumerate() {
                lines.add(format!("HistogramDataPoints #{at}"));
                histogram(lines, point);
            }
        }
        Some(Data::ExponentialHistogram(data)) => {
            temporality(lines, data.aggregation_temporality);
            for (at, point) in data.data_points.iter().enumerate() {
                lines.add(format!("ExponentialHistogramDataPoints #{at}"));
                exponential(lines, point);
            }
        }
        Some(Data::Summary(data)) => {
            for (at, point) in data.data_points.iter().enumerate() {
                lines.add(format!("SummaryDataPoints #{at}"));
                summary(lines, point);
            }
        }
        None => {}
    }
}

fn temporality(lines: &mut Lines, number: i32) {
    let name = name_of(&["Unspecified", "Delta", "Cumulative"], number);
    lines.add(format!("     -> AggregationTemporality: {name}"));
}

fn times(lines: &mut Lines, start: u64, end: u64) {
    lines.add(format!("StartTimestamp: {}", time(start)));
    lines.add(format!("Timestamp: {}", time(end)));
}

fn extremes(lines: &mut Lines, sum: Option<f64>, min: Option<f64>, max: Option<f64>) {
    for (name, value) in [("Sum", sum), ("Min", min), ("Max", max)] {
        if let Some(value) = value {
            lines.add(format!("{name}: {}", fixed(value)));
        }
    }
}

fn numbers(lines: &mut Lines, points: &[NumberDataPoint]) {
    for (at, point) in points.iter().enumerate() {
        lines.add(format!("NumberDataPoints #{at}"));
        lines.attributes(TITLE, &point.attributes);
        times(lines, point.start_time_unix_nano, point.time_unix_nano);
        match point.value {
            Some(Value::AsInt(value)) => lines.add(format!("Value: {value}")),
            Some(Value::AsDouble(value)) => lines.add(format!("Value: {}", fixed(value))),
            None => {}
        }
        exemplars(lines, &point.exemplars);
    }
}

fn histogram(lines: &mut Lines, point: &HistogramDataPoint) {
    lines.attributes(TITLE, &point.attributes);
    times(lines, point.start_time_unix_nano, point.time_unix_nano);
    lines.add(format!("Count: {}", point.count));
    extremes(lines, point.sum, point.min, point.max);
    for (at, bound) in point.explicit_bounds.iter().enumerate() {
        lines.add(format!("ExplicitBounds #{at}: {}", fixed(*bound)));
    }
    for (at, count) in point.bucket_counts.iter().enumerate() {
        lines.add(format!("Buckets #{at}, Count: {count}"));
    }
    exemplars(lines, &point.exemplars);
}

fn exponential(lines: &mut Lines, point: &ExponentialHistogramDataPoint) {
    lines.attributes(TITLE, &point.attributes);
    times(lines, point.start_time_unix_nano, point.time_unix_nano);
    lines.add(format!("Count: {}", point.count));
    extremes(lines, point.sum, point.min, point.max);
    let factor = LN_2 * f64::from(point.scale).exp2().recip();
    let bounds = |offset: i32, at: usize| {
        let index = f64::from(offset) + at as f64;
        ((index * factor).exp(), ((index + 1.0) * factor).exp())
    };
    if let Some(negative) = &point.negative {
        for (at, count) in negative.bucket_counts.iter().enumerate().rev() {
            let (lower, upper) = bounds(negative.offset, at);
            lines.add(format!("Bucket [{}, {}), Count: {count}", fixed(-upper), fixed(-lower)));
        }
    }
    if point.zero_count != 0 {
        lines.add(format!("Bucket [0, 0], Count: {}", point.zero_count));
    }
    if let Some(positive) = &point.positive {
        for (at, count) in positive.bucket_counts.iter().enumerate() {
            let (lower, upper) = bounds(positive.offset, at);
            lines.add(format!("Bucket ({}, {}], Count: {count}", fixed(lower), fixed(upper)));
        }
    }
    exemplars(lines, &point.exemplars);
}

fn summary(lines: &mut Lines, point: &SummaryDataPoint) {
    lines.attributes(TITLE, &point.attributes);
    times(lines, point.start_time_unix_nano, point.time_unix_nano);
    lines.add(format!("Count: {}", point.count));
    lines.add(format!("Sum: {}", fixed(point.sum)));
    for (at, found) in point.quantile_values.iter().enumerate() {
        let (quantile, value) = (fixed(found.quantile), fixed(found.value));
        lines.add(format!("QuantileValue #{at}: Quantile {quantile}, Value {value}"));
    }
}

fn exemplars(lines: &mut Lines, exemplars: &[Exemplar]) {
    if !exemplars.is_empty() {
        lines.add("Exemplars:");
    }
    for (at, exemplar) in exemplars.iter().enumerate() {
        lines.add(format!("Exemplar #{at}"));
        lines.add(format!("     -> Trace ID: {}", id(&exemplar.trace_id)));
        lines.add(format!("     -> Span ID: {}", id(&exemplar.span_id)));
        lines.add(format!("     -> Timestamp: {}", time(exemplar.time_unix_nano)));
        match exemplar.value {
            Some(ExemplarValue::AsInt(value)) => lines.add(format!("     -> Value: {value}")),
            Some(ExemplarValue::AsDouble(value)) => lines.add(format!("     -> Value: {}", fixed(value))),
            None => {}
        }
        lines.attributes("     -> FilteredAttributes", &exemplar.filtered_attributes);
    }
}
