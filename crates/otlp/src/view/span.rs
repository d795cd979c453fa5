//! Spans and their status.

use super::attribute::Attributes;
use super::event::{EventRef, LinkRef};
use super::message::{Fields, Message};
use super::resource::{ResourceRef, ScopeRef};
use super::value::ValueRef;
use crate::edit::SpanIx;
use crate::traces::Traces;
use crate::wire::Payload;

/// A span.
#[derive(Debug, Clone, Copy)]
pub struct SpanRef<'a> {
    traces: &'a Traces,
    ix: SpanIx,
    message: Message<'a>,
}

/// A span's status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusRef<'a> {
    /// 0 unset, 1 ok, 2 error.
    pub code: i32,
    /// What the error was, as found.
    pub message: &'a [u8],
}

// === impl SpanRef ===

impl<'a> SpanRef<'a> {
    pub(crate) fn new(traces: &'a Traces, ix: SpanIx, message: Message<'a>) -> Self {
        Self { traces, ix, message }
    }

    /// Its ordinal.
    pub fn ix(&self) -> SpanIx {
        self.ix
    }

    /// The `Span` message.
    pub fn message(&self) -> Message<'a> {
        self.message
    }

    /// Its fields, in order.
    pub fn fields(&self) -> Fields<'a> {
        self.message.fields()
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message.attributes(9)
    }

    /// The value of an attribute; the first one where the key is repeated.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// The trace id: 16 bytes, or none.
    pub fn trace_id(&self) -> &'a [u8] {
        self.message.bytes(1)
    }

    /// The span id: 8 bytes, or none.
    pub fn span_id(&self) -> &'a [u8] {
        self.message.bytes(2)
    }

    /// The W3C trace state, as found.
    pub fn trace_state(&self) -> &'a [u8] {
        self.message.bytes(3)
    }

    /// The parent's span id: 8 bytes, or none for a root.
    pub fn parent_span_id(&self) -> &'a [u8] {
        self.message.bytes(4)
    }

    /// The name, as found.
    pub fn name(&self) -> &'a [u8] {
        self.message.bytes(5)
    }

    /// The kind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub fn kind(&self) -> i32 {
        self.message.varint(6) as i32
    }

    /// Start in nanoseconds since 1970.
    pub fn start_time_unix_nano(&self) -> u64 {
        self.message.fixed64(7)
    }

    /// End in nanoseconds since 1970.
    pub fn end_time_unix_nano(&self) -> u64 {
        self.message.fixed64(8)
    }

    /// The W3C trace flags and the flags of the parent.
    pub fn flags(&self) -> u32 {
        self.message.fixed32(16)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message.varint(10) as u32
    }

    /// How many events the sender dropped.
    pub fn dropped_events_count(&self) -> u32 {
        self.message.varint(12) as u32
    }

    /// How many links the sender dropped.
    pub fn dropped_links_count(&self) -> u32 {
        self.message.varint(14) as u32
    }

    /// The status; unset where there is none.
    pub fn status(&self) -> StatusRef<'a> {
        let mut status = StatusRef::default();
        for field in self.fields().filter(|field| field.number == 15) {
            if let Payload::Bytes(body) = field.payload {
                status.merge(body);
            }
        }
        status
    }

    /// The events, in order.
    pub fn events(&self) -> impl Iterator<Item = EventRef<'a>> + use<'a> {
        self.fields().filter_map(|field| match (field.number, field.payload) {
            (11, Payload::Bytes(body)) => Some(EventRef { message: Message::standalone(body), pos: field.pos }),
            _ => None,
        })
    }

    /// The links, in order.
    pub fn links(&self) -> impl Iterator<Item = LinkRef<'a>> + use<'a> {
        self.fields().filter_map(|field| match (field.number, field.payload) {
            (13, Payload::Bytes(body)) => Some(LinkRef { message: Message::standalone(body), pos: field.pos }),
            _ => None,
        })
    }

    /// The scope it belongs to.
    pub fn scope(&self) -> ScopeRef<'a> {
        ScopeRef::new(self.traces, self.traces.scope_of(self.ix))
    }

    /// The resource it belongs to.
    pub fn resource(&self) -> ResourceRef<'a> {
        self.scope().resource()
    }
}

// === impl StatusRef ===

impl<'a> StatusRef<'a> {
    /// Merges an encoded `Status`, as protobuf does where the field is repeated.
    #[inline]
    pub fn merge(&mut self, body: &'a [u8]) {
        // A code without a message: what most spans have.
        match body {
            [0x18, code @ 0..0x80] => self.code = i32::from(*code),
            _ => self.merge_any(body),
        }
    }

    fn merge_any(&mut self, body: &'a [u8]) {
        for field in Message::standalone(body).fields() {
            match (field.number, field.payload) {
                (2, Payload::Bytes(message)) => self.message = message,
                (3, Payload::Varint(code)) => self.code = code as i32,
                _ => {}
            }
        }
    }
}
