//! Counting log records, metrics and data points, as they lie in the bytes of a request. Where there are conditions, the request is decoded besides, and
//! what they are asked about goes along.

use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::{MetricsData, ResourceMetrics};
use spanmill_otlp::{Attributes, Message, Opaque, Payload};
use spanmill_ottl::Arena;
use spanmill_pipeline::ConsumeError;
use thiserror::Error;

use super::config::Plan;
use super::counter::Counter;
use super::{SCOPE, refused};
use crate::client;
use crate::connectors::metrics::{all, resource_metrics};
use crate::records::decode;

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
///
/// # Errors
///
/// Fails where a condition cannot be evaluated.
pub(super) fn count_logs(plan: &Plan, request: &Opaque) -> Result<Vec<ResourceMetrics>, ConsumeError> {
    let (client, arena) = (client::wanted_by(&plan.slots), Arena::default());
    let asked = plan.logs.have_conditions().then(|| decode::<LogsData>(request)).transpose()?;
    let mut frame = asked.as_ref().map(|_| plan.slots.record_frame(&arena, client.as_ref()));
    let mut groups = asked.into_iter().flat_map(|logs| logs.resource_logs);
    let mut made = Vec::new();
    for resource in messages(Message::standalone(request.bytes()), RESOURCES) {
        let mut counter = Counter::new(&plan.logs);
        let wanted = &plan.logs.wanted;
        let mut values: [Vec<_>; 3] = Default::default();
        let [of_item, of_scope, of_resource] = &mut values;
        wanted.fill(header(resource, RESOURCE, RESOURCE_ATTRIBUTES), of_resource);
        let group = groups.next().unwrap_or_default();
        if let Some(frame) = &mut frame {
            frame.read_resource(group.resource.as_ref(), &group.schema_url);
        }
        let mut scopes = group.scope_logs.into_iter();
        for scope in messages(resource, SCOPES) {
            wanted.fill(header(scope, SCOPE_HEADER, SCOPE_ATTRIBUTES), of_scope);
            let group = scopes.next().unwrap_or_default();
            if let Some(frame) = &mut frame {
                frame.read_scope(group.scope.as_ref(), &group.schema_url);
            }
            let mut records = group.log_records.into_iter();
            for record in messages(scope, ITEMS) {
                if let Some(frame) = &mut frame {
                    frame.enter_log(records.next().unwrap_or_default());
                }
                counter.at(fixed64(record, LOG_TIME));
                wanted.fill(record.attributes(LOG_ATTRIBUTES), of_item);
                counter.count([&*of_item, &*of_scope, &*of_resource], frame.as_ref()).map_err(refused)?;
            }
        }
        push(&mut made, resource, counter.metrics());
    }
    Ok(made)
}

/// Counts the metrics and data points of a metrics request.
///
/// # Errors
///
/// Fails where a metric is of no kind, as the Collector's does, and where a condition cannot be evaluated.
pub(super) fn count_metrics(plan: &Plan, request: &Opaque) -> Result<Vec<ResourceMetrics>, ConsumeError> {
    let (client, arena) = (client::wanted_by(&plan.slots), Arena::default());
    let have_conditions = plan.metrics.have_conditions() || plan.points.have_conditions();
    let asked = have_conditions.then(|| decode::<MetricsData>(request)).transpose()?;
    let mut frame = asked.as_ref().map(|_| plan.slots.record_frame(&arena, client.as_ref()));
    let mut groups = asked.into_iter().flat_map(|metrics| metrics.resource_metrics);
    let mut made = Vec::new();
    for resource in messages(Message::standalone(request.bytes()), RESOURCES) {
        let (mut metrics, mut points) = (Counter::new(&plan.metrics), Counter::new(&plan.points));
        let wanted = &plan.points.wanted;
        let mut values: [Vec<_>; 3] = Default::default();
        let [of_item, of_scope, of_resource] = &mut values;
        wanted.fill(header(resource, RESOURCE, RESOURCE_ATTRIBUTES), of_resource);
        let group = groups.next().unwrap_or_default();
        if let Some(frame) = &mut frame {
            frame.read_resource(group.resource.as_ref(), &group.schema_url);
        }
        let mut scopes = group.scope_metrics.into_iter();
        for scope in messages(resource, SCOPES) {
            wanted.fill(header(scope, SCOPE_HEADER, SCOPE_ATTRIBUTES), of_scope);
            let group = scopes.next().unwrap_or_default();
            if let Some(frame) = &mut frame {
                frame.read_scope(group.scope.as_ref(), &group.schema_url);
            }
            let mut decoded = group.metrics.into_iter();
            for metric in messages(scope, ITEMS) {
                if let Some(frame) = &mut frame {
                    frame.enter_metric(decoded.next().unwrap_or_default());
                }
                metrics.count([&[], &[], &[]], frame.as_ref()).map_err(refused)?;
                if !metric.fields().any(|field| KINDS.iter().any(|(kind, _)| *kind == field.number)) {
                    return Err(refused(InvalidMetric));
                }
                let found = KINDS.into_iter().flat_map(|(kind, attributes)| {
                    let data = messages(metric, kind);
                    data.flat_map(|data| messages(data, POINTS)).map(move |point| (point, attributes))
                });
                for (at, (point, attributes)) in found.enumerate() {
                    if let Some(frame) = &mut frame {
                        frame.enter_point(at);
                    }
                    points.at(fixed64(point, POINT_TIME));
                    wanted.fill(point.attributes(attributes), of_item);
                    points.count([&*of_item, &*of_scope, &*of_resource], frame.as_ref()).map_err(refused)?;
                    if let Some(frame) = &mut frame {
                        frame.leave_point(at);
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
