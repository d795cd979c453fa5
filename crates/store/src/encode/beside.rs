//! What hangs on a span: its content, its events and its links.

use spanmill_otlp::{Attribute, Field, LinkRef, Message, Payload, SpanRef};

use super::Encoder;
use super::builder::Cell;
use super::cells::{Hex, non_empty, non_zero, optional};
use super::json::{lossy, put_value};

pub(super) fn push_content(
    encoder: &mut Encoder,
    content: &[Attribute<'_>],
    [trace_id, span_id]: [Cell<'_>; 2],
    start: Cell<'_>,
    tenant: Cell<'_>,
) {
    let mut scratch = std::mem::take(&mut encoder.scratch.value);
    for (index, attribute) in content.iter().enumerate() {
        let key = lossy(attribute.key);
        let (kind, value) = match attribute.value.as_str() {
            Some(text) => ("text", text),
            None => {
                scratch.clear();
                put_value(&mut scratch, attribute.value, 0);
                ("json", scratch.as_str())
            }
        };
        encoder.content.push(&[
            trace_id,
            span_id,
            Cell::Int(index as i64),
            start,
            Cell::Text(&key),
            Cell::Text(kind),
            Cell::Text(value),
            Cell::Int(value.len() as i64),
            tenant,
        ]);
    }
    scratch.clear();
    scratch.shrink_to(1 << 20);
    encoder.scratch.value = scratch;
}

pub(super) fn push_events(
    encoder: &mut Encoder,
    span: SpanRef<'_>,
    [trace_id, span_id]: [Cell<'_>; 2],
    service: Cell<'_>,
    tenant: Cell<'_>,
) {
    let mut object = std::mem::take(&mut encoder.scratch.nested);
    for (index, event) in span.events().enumerate() {
        object.clear();
        object.put_all(event.attributes());
        let time = i64::try_from(event.time_unix_nano()).unwrap_or(i64::MAX);
        let name = lossy(event.name());
        encoder.events.push(&[
            trace_id,
            span_id,
            Cell::Int(index as i64),
            Cell::Int(time / 1_000),
            Cell::Int(time),
            Cell::Text(&name),
            service,
            optional(object.finish()),
            non_zero(u64::from(event.dropped_attributes_count())),
            tenant,
        ]);
    }
    encoder.scratch.nested = object;
}

pub(super) fn push_links(
    encoder: &mut Encoder,
    span: SpanRef<'_>,
    [trace_id, span_id]: [Cell<'_>; 2],
    start: Cell<'_>,
    tenant: Cell<'_>,
) {
    let mut object = std::mem::take(&mut encoder.scratch.nested);
    for (index, link) in span.links().enumerate() {
        object.clear();
        object.put_all(link.attributes());
        let (linked_trace, linked_span) = (Hex::<32>::new(link.trace_id()), Hex::<16>::new(link.span_id()));
        let more = LinkRest::read(link);
        let state = lossy(more.trace_state);
        encoder.links.push(&[
            trace_id,
            span_id,
            Cell::Int(index as i64),
            start,
            Cell::Text(linked_trace.text()),
            Cell::Text(linked_span.text()),
            non_empty(&state),
            non_zero(u64::from(more.flags)),
            optional(object.finish()),
            non_zero(more.dropped),
            tenant,
        ]);
    }
    encoder.scratch.nested = object;
}

/// The rarer fields of a link.
#[derive(Debug, Default)]
struct LinkRest<'a> {
    trace_state: &'a [u8],
    flags: u32,
    dropped: u64,
}

impl<'a> LinkRest<'a> {
    fn read(link: LinkRef<'a>) -> Self {
        let message: Message<'a> = link.message();
        let mut rest = Self::default();
        for Field { number, payload, .. } in message.fields() {
            match (number, payload) {
                (3, Payload::Bytes(state)) => rest.trace_state = state,
                (5, Payload::Varint(count)) => rest.dropped = count,
                (6, Payload::Fixed32(flags)) => rest.flags = flags,
                _ => {}
            }
        }
        rest
    }
}
