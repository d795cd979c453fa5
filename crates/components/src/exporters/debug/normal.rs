//! Verbosity `normal`: a line an item.

use std::f64::consts::LN_2;
use std::fmt::Write;

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::request::Request;
use super::text::{id, pairs, shortest, value};

/// The whole batch, a line a resource, scope and item.
pub(super) fn text(request: &Request) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, request);
    out
}

fn write(out: &mut String, request: &Request) -> std::fmt::Result {
    match request {
        Request::Traces(request) => {
            for (at, resource) in request.resource_spans.iter().enumerate() {
                write_resource(out, "ResourceTraces", at, &resource.schema_url, resource.resource.as_ref())?;
                for (at, scope) in resource.scope_spans.iter().enumerate() {
                    write_scope(out, "ScopeTraces", at, &scope.schema_url, scope.scope.as_ref())?;
                    for span in &scope.spans {
                        write!(out, "{} {} {}", span.name, id(&span.trace_id), id(&span.span_id))?;
                        writeln!(out, "{}", spaced(&span.attributes))?;
                    }
                }
            }
        }
        Request::Metrics(request) => {
            for (at, resource) in request.resource_metrics.iter().enumerate() {
                write_resource(out, "ResourceMetrics", at, &resource.schema_url, resource.resource.as_ref())?;
                for (at, scope) in resource.scope_metrics.iter().enumerate() {
                    write_scope(out, "ScopeMetrics", at, &scope.schema_url, scope.scope.as_ref())?;
                    for metric in &scope.metrics {
                        write_metric(out, metric)?;
                    }
                }
            }
        }
        Request::Logs(request) => {
            for (at, resource) in request.resource_logs.iter().enumerate() {
                write_resource(out, "ResourceLog", at, &resource.schema_url, resource.resource.as_ref())?;
                for (at, scope) in resource.scope_logs.iter().enumerate() {
                    write_scope(out, "ScopeLog", at, &scope.schema_url, scope.scope.as_ref())?;
                    for record in &scope.log_records {
                        writeln!(out, "{} {}", value(record.body.as_ref()), pairs(&record.attributes).join(" "))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn write_resource(
    out: &mut String,
    title: &str,
    at: usize,
    schema_url: &str,
    resource: Option<&Resource>,
) -> std::fmt::Result {
    let url = if schema_url.is_empty() { String::new() } else { format!(" [{schema_url}]") };
    let attributes = resource.map(|resource| spaced(&resource.attributes)).unwrap_or_default();
    writeln!(out, "{title} #{at}{url}{attributes}")
}

fn write_scope(
    out: &mut String,
    title: &str,
    at: usize,
    schema_url: &str,
    scope: Option<&InstrumentationScope>,
) -> std::fmt::Result {
    let none = InstrumentationScope::default();
    let scope = scope.unwrap_or(&none);
    let mut details = scope.name.clone();
    if !scope.version.is_empty() {
        details = format!("{details}@{}", scope.version);
    }
    if !schema_url.is_empty() {
        details = format!("{details} [{schema_url}]");
    }
    let details = details.trim_start();
    let gap = if details.is_empty() { "" } else { " " };
    writeln!(out, "{title} #{at}{gap}{details}{}", spaced(&scope.attributes))
}

fn write_metric(out: &mut String, metric: &Metric) -> std::fmt::Result {
    match &metric.data {
        Some(Data::Gauge(data)) => write_points(out, metric, &data.data_points, |point| &point.attributes, number),
        Some(Data::Sum(data)) => write_points(out, metric, &data.data_points, |point| &point.attributes, number),
        Some(Data::Histogram(data)) => {
            write_points(out, metric, &data.data_points, |point| &point.attributes, histogram)
        }
        Some(Data::ExponentialHistogram(data)) => {
            write_points(out, metric, &data.data_points, |point| &point.attributes, exponential)
        }
        Some(Data::Summary(data)) => write_points(out, metric, &data.data_points, |point| &point.attributes, summary),
        None => Ok(()),
    }
}

fn write_points<P>(
    out: &mut String,
    metric: &Metric,
    points: &[P],
    attributes: fn(&P) -> &Vec<KeyValue>,
    values: fn(&P) -> String,
) -> std::fmt::Result {
    for point in points {
        writeln!(out, "{}{{{}}} {}", metric.name, pairs(attributes(point)).join(","), values(point))?;
    }
    Ok(())
}

fn number(point: &NumberDataPoint) -> String {
    match point.value {
        Some(Value::AsInt(value)) => value.to_string(),
        Some(Value::AsDouble(value)) => shortest(value),
        None => String::new(),
    }
}

fn histogram(point: &HistogramDataPoint) -> String {
    let mut text = format!("count={}{}", point.count, extremes(point.sum, point.min, point.max));
    for (at, count) in point.bucket_counts.iter().enumerate() {
        let bound = point.explicit_bounds.get(at).map(|bound| format!("le{}=", shortest(*bound))).unwrap_or_default();
        text += &format!(" {bound}{count}");
    }
    text
}

fn exponential(point: &ExponentialHistogramDataPoint) -> String {
    let mut text = format!("count={}{}", point.count, extremes(point.sum, point.min, point.max));
    let factor = LN_2 * f64::from(point.scale).exp2().recip();
    if let Some(negative) = &point.negative {
        for (at, count) in negative.bucket_counts.iter().enumerate().rev() {
            let index = f64::from(negative.offset) + at as f64;
            text += &format!(" le{}={count}", shortest(-(index * factor).exp()));
        }
    }
    if point.zero_count != 0 {
        text += &format!(" zero={}", point.zero_count);
    }
    if let Some(positive) = &point.positive {
        for (at, count) in positive.bucket_counts.iter().enumerate() {
            let index = f64::from(positive.offset) + at as f64 + 1.0;
            text += &format!(" le{}={count}", shortest((index * factor).exp()));
        }
    }
    text
}

fn summary(point: &SummaryDataPoint) -> String {
    let mut text = format!("count={} sum={}", point.count, super::text::fixed(point.sum));
    for quantile in &point.quantile_values {
        text += &format!(" q{}={}", shortest(quantile.quantile), shortest(quantile.value));
    }
    text
}

fn extremes(sum: Option<f64>, min: Option<f64>, max: Option<f64>) -> String {
    [("sum", sum), ("min", min), ("max", max)]
        .into_iter()
        .filter_map(|(name, value)| Some(format!(" {name}={}", shortest(value?))))
        .collect()
}

/// Attributes, each after a space.
fn spaced(attributes: &[KeyValue]) -> String {
    pairs(attributes).iter().map(|pair| format!(" {pair}")).collect()
}
