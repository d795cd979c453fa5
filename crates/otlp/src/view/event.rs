//! What belongs to a span: events and links.

use super::attribute::Attributes;
use super::message::{Message, Pos};
use super::value::ValueRef;

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventRef<'a> {
    pub(super) message: Message<'a>,
    /// Where the whole event lies in its span.
    pub pos: Pos,
}

/// A link of a span.
#[derive(Debug, Clone, Copy)]
pub struct LinkRef<'a> {
    pub(super) message: Message<'a>,
    /// Where the whole link lies in its span.
    pub pos: Pos,
}

// === impl EventRef ===

impl<'a> EventRef<'a> {
    /// Views an encoded `Event` that lies at `pos` of its span.
    pub fn new(body: &'a [u8], pos: Pos) -> Self {
        Self { message: Message::standalone(body), pos }
    }

    /// The `Event` message.
    pub fn message(&self) -> Message<'a> {
        self.message
    }

    /// When it happened, in nanoseconds since 1970.
    pub fn time_unix_nano(&self) -> u64 {
        self.message.fixed64(1)
    }

    /// Its name, as found.
    pub fn name(&self) -> &'a [u8] {
        self.message.bytes(2)
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message.attributes(3)
    }

    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message.varint(4) as u32
    }
}

// === impl LinkRef ===

impl<'a> LinkRef<'a> {
    /// The `Link` message.
    pub fn message(&self) -> Message<'a> {
        self.message
    }

    /// The trace linked to.
    pub fn trace_id(&self) -> &'a [u8] {
        self.message.bytes(1)
    }

    /// The span linked to.
    pub fn span_id(&self) -> &'a [u8] {
        self.message.bytes(2)
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message.attributes(4)
    }
}
