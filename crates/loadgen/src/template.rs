use bytes::{Bytes, BytesMut};
use memchr::memmem;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::shape::{Shape, request};

/// A request to be sent again and again, each time with ids that never occurred before: a collector that remembers traces and
/// responses must not take the second copy for a repetition of the first.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Bytes,
    /// Where trace ids, span ids and parents' ids stand: eight random bytes each.
    ids: Vec<usize>,
    /// Where the last 16 hexadecimal digits of response ids stand.
    digits: Vec<usize>,
    spans: usize,
}

// === impl Template ===

impl Template {
    /// A template for requests of that shape.
    pub fn new(shape: Shape, spans: usize, seed: u64) -> Self {
        let bytes = request(shape, spans, seed);
        let decoded = ExportTraceServiceRequest::decode(bytes.clone()).unwrap_or_default();
        let all =
            decoded.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
        let (mut ids, mut digits, mut from) = (Vec::new(), Vec::new(), 0);
        let mut find = |what: &[u8]| {
            // Ids are random and stand in the order of the fields, so the next occurrence is the right one.
            let place = from + bytes.get(from..).and_then(|rest| memmem::find(rest, what))?;
            from = place + what.len();
            Some(place)
        };
        for span in all {
            ids.extend(find(&span.trace_id));
            ids.extend(find(&span.span_id));
            if !span.parent_span_id.is_empty() {
                ids.extend(find(&span.parent_span_id));
            }
            digits.extend(response_id(span).and_then(|id| Some(find(id.as_bytes())? + id.len() - 16)));
        }
        Self { bytes, ids, digits, spans }
    }

    /// How many spans a request has.
    pub fn spans(&self) -> usize {
        self.spans
    }

    /// How many of its spans carry fewer input tokens than that.
    pub fn spans_below(&self, input_tokens: i64) -> usize {
        let decoded = ExportTraceServiceRequest::decode(self.bytes.clone()).unwrap_or_default();
        let scopes = decoded.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let below = |span: &&Span| input(span).is_some_and(|count| count < input_tokens);
        scopes.flat_map(|scope| &scope.spans).filter(below).count()
    }

    /// The request with ids of its own for that number.
    pub fn fresh(&self, number: u64) -> Bytes {
        let mut bytes = BytesMut::from(self.bytes.as_ref());
        // Odd, so that different numbers give different masks; spread, so that all bytes of an id differ.
        let mask = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        for &place in &self.ids {
            for (byte, mask) in bytes.iter_mut().skip(place).zip(mask) {
                *byte ^= mask;
            }
        }
        for (turn, &place) in (0u64..).zip(&self.digits) {
            let text = format!("{:016x}", u64::from_be_bytes(mask).wrapping_add(turn));
            for (byte, digit) in bytes.iter_mut().skip(place).zip(text.bytes()) {
                *byte = digit;
            }
        }
        bytes.freeze()
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|given| given.key == key)?.value.as_ref()?.value.as_ref()
}

fn response_id(span: &Span) -> Option<&str> {
    match attribute(span, "gen_ai.response.id")? {
        Value::StringValue(id) => Some(id),
        _ => None,
    }
}

fn input(span: &Span) -> Option<i64> {
    match attribute(span, "gen_ai.usage.input_tokens")? {
        Value::IntValue(count) => Some(*count),
        _ => None,
    }
}
