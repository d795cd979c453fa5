//! What resources, scopes, spans and events hold beside attributes: as it is read, and as what was set is written.

use spanmill_otlp::{Payload, StatusRef, put_field};

use super::draft::Marks;

/// The fields of a resource that are no attributes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ResourceFields<'a> {
    pub(crate) dropped_attributes: u32,
    pub(crate) schema_url: &'a [u8],
}

/// The fields of a scope that are no attributes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScopeFields<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) version: &'a [u8],
    pub(crate) dropped_attributes: u32,
    pub(crate) schema_url: &'a [u8],
}

/// The fields of an event that are no attributes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EventFields<'a> {
    pub(crate) time: u64,
    pub(crate) name: &'a [u8],
    pub(crate) dropped_attributes: u32,
}

/// The fields of a span that are no attributes.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpanFields<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) parent_span_id: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) kind: i32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) dropped_attributes: u32,
    pub(crate) dropped_events: u32,
    pub(crate) dropped_links: u32,
    pub(crate) flags: u32,
    pub(crate) status: StatusRef<'a>,
}

/// Puts fields that were touched; of those without a value nothing is written, as protobuf has it.
struct Put<'m, 'o> {
    marks: &'m Marks,
    out: &'o mut Vec<u8>,
}

// === impl SpanFields ===

impl<'a> SpanFields<'a> {
    /// Keeps a field of a span; of a repeated scalar the last one counts.
    #[inline]
    pub(super) fn note(&mut self, number: u32, payload: Payload<'a>) {
        match (number, payload) {
            (5, Payload::Bytes(name)) => self.name = name,
            (6, Payload::Varint(kind)) => self.kind = kind as i32,
            (7, Payload::Fixed64(start)) => self.start = start,
            (8, Payload::Fixed64(end)) => self.end = end,
            (1, Payload::Bytes(id)) => self.trace_id = id,
            (2, Payload::Bytes(id)) => self.span_id = id,
            (3, Payload::Bytes(state)) => self.trace_state = state,
            (4, Payload::Bytes(id)) => self.parent_span_id = id,
            (10, Payload::Varint(count)) => self.dropped_attributes = count as u32,
            (12, Payload::Varint(count)) => self.dropped_events = count as u32,
            (14, Payload::Varint(count)) => self.dropped_links = count as u32,
            (15, Payload::Bytes(status)) => self.status.merge(status),
            (16, Payload::Fixed32(flags)) => self.flags = flags,
            _ => {}
        }
    }
}

// === impl Put ===

impl Put<'_, '_> {
    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.one(number, Payload::Bytes(bytes), bytes.is_empty());
    }

    fn id(&mut self, number: u32, id: &[u8]) {
        self.one(number, Payload::Bytes(id), id.iter().all(|byte| *byte == 0));
    }

    fn count(&mut self, number: u32, count: u32) {
        self.one(number, Payload::Varint(u64::from(count)), count == 0);
    }

    fn time(&mut self, number: u32, time: u64) {
        self.one(number, Payload::Fixed64(time), time == 0);
    }

    fn one(&mut self, number: u32, payload: Payload<'_>, empty: bool) {
        if self.marks.touches(number) && !empty {
            put_field(self.out, number, payload);
        }
    }
}

// === what was set ===

impl ResourceFields<'_> {
    pub(super) fn put(&self, marks: &Marks, out: &mut Vec<u8>) {
        Put { marks, out }.count(2, self.dropped_attributes);
    }
}

impl ScopeFields<'_> {
    pub(super) fn put(&self, marks: &Marks, out: &mut Vec<u8>) {
        let mut put = Put { marks, out };
        put.bytes(1, self.name);
        put.bytes(2, self.version);
        put.count(4, self.dropped_attributes);
    }
}

impl EventFields<'_> {
    pub(super) fn put(&self, marks: &Marks, out: &mut Vec<u8>) {
        let mut put = Put { marks, out };
        put.time(1, self.time);
        put.bytes(2, self.name);
        put.count(4, self.dropped_attributes);
    }
}

impl SpanFields<'_> {
    pub(super) fn put(&self, marks: &Marks, out: &mut Vec<u8>) {
        let mut status = Vec::new();
        if marks.touches(15) {
            let StatusRef { code, message } = self.status;
            if !message.is_empty() {
                put_field(&mut status, 2, Payload::Bytes(message));
            }
            if code != 0 {
                put_field(&mut status, 3, Payload::Varint(i64::from(code) as u64));
            }
        }
        let mut put = Put { marks, out };
        put.id(1, self.trace_id);
        put.id(2, self.span_id);
        put.bytes(3, self.trace_state);
        put.id(4, self.parent_span_id);
        put.bytes(5, self.name);
        put.one(6, Payload::Varint(i64::from(self.kind) as u64), self.kind == 0);
        put.time(7, self.start);
        put.time(8, self.end);
        put.count(10, self.dropped_attributes);
        put.count(12, self.dropped_events);
        put.count(14, self.dropped_links);
        put.bytes(15, &status);
        put.one(16, Payload::Fixed32(self.flags), self.flags == 0);
    }
}
