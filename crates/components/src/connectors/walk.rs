//! Log records and data points of a request, one after the other, as they lie in its bytes. Where expressions are asked about them, the request is decoded
//! besides, and what they are asked about goes along.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use opentelemetry_proto::tonic::resource::v1::Resource;
use spanmill_otlp::{Attributes, Message, Opaque, Payload};
use spanmill_ottl::{Arena, Frame, Slots};
use spanmill_pipeline::ConsumeError;

use crate::client;
use crate::records::decode;

/// Who looks at the items. The frame stands at what is shown; there is none where no expressions are asked.
pub(super) trait Items<'a> {
    /// A resource begins, with these attributes.
    fn enter_resource(&mut self, attributes: Attributes<'a>);

    /// A scope of it begins.
    fn enter_scope(&mut self, _attributes: Attributes<'a>) {}

    /// A metric begins; it may be of no kind, and has no points then.
    fn metric(&mut self, _has_kind: bool, _frame: Option<&Frame<'_>>) -> Result<(), ConsumeError> {
        Ok(())
    }

    /// A log record or a data point, its time in nanoseconds since 1970 and its attributes.
    fn item(&mut self, time: u64, attributes: Attributes<'a>, frame: Option<&Frame<'_>>) -> Result<(), ConsumeError>;

    /// The resource ends.
    fn leave_resource(&mut self) {}
}

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

/// Shows the records of a logs request; `asked` is what expressions read of them.
pub(super) fn logs<'a>(
    request: &'a Opaque,
    asked: Option<&Slots>,
    items: &mut impl Items<'a>,
) -> Result<(), ConsumeError> {
    let arena = Arena::default();
    let client = asked.and_then(client::wanted_by);
    let mut frame = asked.map(|slots| slots.record_frame(&arena, client.as_ref()));
    let decoded = asked.map(|_| decode::<LogsData>(request)).transpose()?;
    let mut groups = decoded.into_iter().flat_map(|logs| logs.resource_logs);
    for resource in messages(Message::standalone(request.bytes()), RESOURCES) {
        let group = groups.next().unwrap_or_default();
        enter_resource(resource, (group.resource.as_ref(), &group.schema_url), frame.as_mut(), items);
        let mut scopes = group.scope_logs.into_iter();
        for scope in messages(resource, SCOPES) {
            let group = scopes.next().unwrap_or_default();
            enter_scope(scope, (group.scope.as_ref(), &group.schema_url), frame.as_mut(), items);
            let mut records = group.log_records.into_iter();
            for record in messages(scope, ITEMS) {
                if let Some(frame) = &mut frame {
                    frame.enter_log(records.next().unwrap_or_default());
                }
                items.item(fixed64(record, LOG_TIME), record.attributes(LOG_ATTRIBUTES), frame.as_ref())?;
            }
        }
        items.leave_resource();
    }
    Ok(())
}

/// Shows the metrics and data points of a metrics request; `asked` is what expressions read of them.
pub(super) fn metrics<'a>(
    request: &'a Opaque,
    asked: Option<&Slots>,
    items: &mut impl Items<'a>,
) -> Result<(), ConsumeError> {
    let arena = Arena::default();
    let client = asked.and_then(client::wanted_by);
    let mut frame = asked.map(|slots| slots.record_frame(&arena, client.as_ref()));
    let decoded = asked.map(|_| decode::<MetricsData>(request)).transpose()?;
    let mut groups = decoded.into_iter().flat_map(|metrics| metrics.resource_metrics);
    for resource in messages(Message::standalone(request.bytes()), RESOURCES) {
        let group = groups.next().unwrap_or_default();
        enter_resource(resource, (group.resource.as_ref(), &group.schema_url), frame.as_mut(), items);
        let mut scopes = group.scope_metrics.into_iter();
        for scope in messages(resource, SCOPES) {
            let group = scopes.next().unwrap_or_default();
            enter_scope(scope, (group.scope.as_ref(), &group.schema_url), frame.as_mut(), items);
            let mut decoded = group.metrics.into_iter();
            for metric in messages(scope, ITEMS) {
                if let Some(frame) = &mut frame {
                    frame.enter_metric(decoded.next().unwrap_or_default());
                }
                points(metric, frame.as_mut(), items)?;
            }
        }
        items.leave_resource();
    }
    Ok(())
}

/// Shows a resource, which is there decoded as well, with its schema URL.
fn enter_resource<'a>(
    message: Message<'a>,
    (decoded, schema_url): (Option<&Resource>, &str),
    frame: Option<&mut Frame<'_>>,
    items: &mut impl Items<'a>,
) {
    items.enter_resource(header(message, RESOURCE, RESOURCE_ATTRIBUTES));
    if let Some(frame) = frame {
        frame.read_resource(decoded, schema_url);
    }
}

/// Shows a scope, which is there decoded as well, with its schema URL.
fn enter_scope<'a>(
    message: Message<'a>,
    (decoded, schema_url): (Option<&InstrumentationScope>, &str),
    frame: Option<&mut Frame<'_>>,
    items: &mut impl Items<'a>,
) {
    items.enter_scope(header(message, SCOPE_HEADER, SCOPE_ATTRIBUTES));
    if let Some(frame) = frame {
        frame.read_scope(decoded, schema_url);
    }
}

/// Shows a metric and its points.
fn points<'a>(
    metric: Message<'a>,
    mut frame: Option<&mut Frame<'_>>,
    items: &mut impl Items<'a>,
) -> Result<(), ConsumeError> {
    let has_kind = metric.fields().any(|field| KINDS.iter().any(|(kind, _)| *kind == field.number));
    items.metric(has_kind, frame.as_deref())?;
    let found = KINDS.into_iter().flat_map(|(kind, attributes)| {
        let data = messages(metric, kind);
        data.flat_map(|data| messages(data, POINTS)).map(move |point| (point, attributes))
    });
    for (at, (point, attributes)) in found.enumerate() {
        if let Some(frame) = &mut frame {
            frame.enter_point(at);
        }
        items.item(fixed64(point, POINT_TIME), point.attributes(attributes), frame.as_deref())?;
        if let Some(frame) = &mut frame {
            frame.leave_point(at);
        }
    }
    Ok(())
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
