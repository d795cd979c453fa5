//! Counting log records, metrics and data points, as they lie in the bytes of a request.

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use spanmill_otlp::{Attributes, Message, Payload};
use thiserror::Error;

use super::SCOPE;
use super::config::Plan;
use super::counter::Counter;
use crate::connectors::metrics::{all, resource_metrics};

/// A metric that is neither gauge nor sum, histogram or summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("invalid metric type: a metric is of no kind")]
pub(super) struct InvalidMetric;

/// Field numbers of OTLP. Requests, resources and scopes have the same ones for all signals.
const RESOURCES: u32 = 1;
const RESOURCE: u32 = 1;
const RESOURCE_ATTRIBUTES: u32 = 1;
const SCOPES: u32 = 2;
const SCOPE_HEADER: u32 = 1;
const SCOPE_ATTRIBUTES: u32 = 3;
const ITEMS: u32 = 2;
const LOG_TIME: u32 = 1;
const LOG_ATTRIBUTES: u32 = 6;
const POINTS: u32 = 1;
const POINT_TIME: u32 = 3;
/// The kinds of metrics, and the number of the attributes of their data points.
const KINDS: [(u32, u32); 5] = [(5, 7), (7, 7), (9, 9), (10, 1), (11, 7)];

/// Counts the records of a logs request.
pub(super) fn count_logs(plan: &Plan, request: &[u8]) -> Vec<ResourceMetrics> {
    let mut made = Vec::new();
    for resource in messages(Message::standalone(request), RESOURCES) {
        let mut counter = Counter::new(&plan.logs);
        let wanted = &plan.logs.wanted;
        let mut values: [Vec<_>; 3] = Default::default();
        let [of_item, of_scope, of_resource] = &mut values;
        wanted.fill(header(resource, RESOURCE, RESOURCE_ATTRIBUTES), of_resource);
        for scope in messages(resource, SCOPES) {
            wanted.fill(header(scope, SCOPE_HEADER, SCOPE_ATTRIBUTES), of_scope);
            for record in messages(scope, ITEMS) {
                counter.at(fixed64(record, LOG_TIME));
                wanted.fill(record.attributes(LOG_ATTRIBUTES), of_item);
                // There are no conditions that could fail.
                let _ = counter.count([&*of_item, &*of_scope, &*of_resource], None);
            }
        }
        push(&mut made, resource, counter.metrics());
    }
    made
}

/// Counts the metrics and data points of a metrics request.
///
/// # Errors
///
/// Fails where a metric is of no kind, as the Collector's does.
pub(super) fn count_metrics(plan: &Plan, request: &[u8]) -> Result<Vec<ResourceMetrics>, InvalidMetric> {
    let mut made = Vec::new();
    for resource in messages(Message::standalone(request), RESOURCES) {
        let (mut metrics, mut points) = (Counter::new(&plan.metrics), Counter::new(&plan.points));
        let wanted = &plan.points.wanted;
        let mut values: [Vec<_>; 3] = Default::default();
        let [of_item, of_scope, of_resource] = &mut values;
        wanted.fill(header(resource, RESOURCE, RESOURCE_ATTRIBUTES), of_resource);
        for scope in messages(resource, SCOPES) {
            wanted.fill(header(scope, SCOPE_HEADER, SCOPE_ATTRIBUTES), of_scope);
            for metric in messages(scope, ITEMS) {
                let _ = metrics.count([&[], &[], &[]], None);
                if !metric.fields().any(|field| KINDS.iter().any(|(kind, _)| *kind == field.number)) {
                    return Err(InvalidMetric);
                }
                for (kind, attributes) in KINDS {
                    for point in messages(metric, kind).flat_map(|data| messages(data, POINTS)) {
                        points.at(fixed64(point, POINT_TIME));
                        wanted.fill(point.attributes(attributes), of_item);
                        let _ = points.count([&*of_item, &*of_scope, &*of_resource], None);
                    }
                }
            }
        }
        push(&mut made, resource, metrics.metrics().into_iter().chain(points.metrics()).collect());
    }
    Ok(made)
}

fn push(
    made: &mut Vec<ResourceMetrics>,
    resource: Message<'_>,
    metrics: Vec<opentelemetry_proto::tonic::metrics::v1::Metric>,
) {
    if !metrics.is_empty() {
        made.push(resource_metrics(all(header(resource, RESOURCE, RESOURCE_ATTRIBUTES)), SCOPE, metrics));
    }
}

/// The messages in a repeated field.
fn messages(message: Message<'_>, number: u32) -> impl Iterator<Item = Message<'_>> {
    message.fields().filter_map(move |field| match field.payload {
        Payload::Bytes(body) if field.number == number => Some(Message::standalone(body)),
        _ => None,
    })
}

/// Attributes of the resource or scope at the head of a message.
fn header(message: Message<'_>, number: u32, attributes: u32) -> Attributes<'_> {
    messages(message, number).last().unwrap_or(Message::standalone(&[])).attributes(attributes)
}

fn fixed64(message: Message<'_>, number: u32) -> u64 {
    match message.last(number) {
        Some(Payload::Fixed64(value)) => value,
        _ => 0,
    }
}
