//! The one scan over a span: attributes are looked up, and taken at once where nothing is to be thought of.

use std::ops::ControlFlow;

use spanmill_otlp::{AnyValue, Attribute, Payload, Pos, StatusRef, ValueRef, Visitor};

use super::{Found, MOST_PARTS, PRESENT, Reader};
use crate::call::Call;
use crate::catalogue::{Below, HINTS, Plan, SourceIx, is_answer, is_genai};

/// Takes the fields of a span.
pub(super) struct Visit<'r, 'a> {
    reader: &'r mut Reader<'a>,
    call: &'r mut Call<'a>,
    /// The source of the scope: where it is known, attributes that need no thought are taken at once.
    scope: Option<SourceIx>,
    pub(super) seen: Seen<'a>,
}

/// What was seen beside what the call says.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) name: &'a [u8],
    pub(super) status: StatusRef<'a>,
    /// Sources that an attribute marks, as bits.
    pub(super) markers: u128,
    /// Whether anything tells that the span is one of GenAI.
    pub(super) signals: bool,
    /// What hints at that, where nothing tells.
    pub(super) hints: u8,
    /// The source that a value tells.
    pub(super) told: Option<SourceIx>,
    /// Whether it is the span of a client.
    pub(super) client: bool,
}

// === impl Visit ===

impl<'r, 'a> Visit<'r, 'a> {
    pub(super) fn new(reader: &'r mut Reader<'a>, call: &'r mut Call<'a>, scope: Option<SourceIx>) -> Self {
        Self { reader, call, scope, seen: Seen { signals: scope.is_some(), ..Seen::default() } }
    }

    /// What a key says about the source, and what is to be done with it while the source is not known.
    fn plan_without_source(&mut self, found: Found<'a>) -> Plan {
        let catalogue = self.reader.catalogue;
        if let Some(info) = catalogue.slots.get(usize::from(found.slot)) {
            self.seen.markers |= info.markers;
            self.seen.signals |= info.signals;
            self.seen.hints |= info.hints;
            if info.answer && matches!(found.value.get(), AnyValue::Text(text) if is_answer(text)) {
                self.seen.hints = HINTS;
            }
            if info.equals
                && let AnyValue::Text(text) = found.value.get()
            {
                self.seen.told = self.seen.told.or_else(|| catalogue.source_of_value(found.slot, text));
            }
        }
        // What stays is the same for all sources.
        match catalogue.plan(found.slot, 0) {
            stay @ Plan::Stay(_) => stay,
            _ => Plan::Look,
        }
    }

    /// A key that nobody knows may be a piece of a flattened document, or stand below a name of somebody's own.
    fn unknown(&mut self, key: &'a [u8], value: ValueRef<'a>, pos: Pos) {
        let catalogue = self.reader.catalogue;
        self.seen.signals |= is_genai(key);
        if catalogue.may_be_flat(key) {
            self.reader.note_flat(key, value, pos);
        }
        if self.scope.is_some() {
            return;
        }
        match catalogue.below(key) {
            Some(Below::Known(slot)) => {
                let found = Found { slot, pos, value };
                self.plan_without_source(found);
                if self.reader.found.len() < MOST_PARTS {
                    self.reader.found.push(found);
                }
            }
            Some(Below::Nested(piece)) => {
                self.seen.signals = true;
                self.reader.note_flat(piece, value, pos);
            }
            None => {}
        }
    }
}

impl<'a> Visitor<'a> for Visit<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        let Attribute { key, value, pos } = Attribute::read(body, pos);
        if is_not_finite(value) {
            if self.reader.to_cut.len() < MOST_PARTS {
                self.reader.to_cut.push(pos);
            }
            return ControlFlow::Continue(());
        }
        let catalogue = self.reader.catalogue;
        let Some(slot) = catalogue.keys.get_next(key, &mut self.reader.guesses) else {
            self.unknown(key, value, pos);
            return ControlFlow::Continue(());
        };
        let found = Found { slot, pos, value };
        let plan = match self.scope {
            Some(source) => catalogue.plan(slot, source),
            None => self.plan_without_source(found),
        };
        let taken = match plan {
            Plan::Plain(target, priority) => self.reader.take_plain(self.call, target, priority, found),
            Plan::Stay(target) if catalogue.names.has_type(target, value.get()) => {
                self.reader.note_taken(target, PRESENT);
                true
            }
            Plan::Stay(_) | Plan::Look => false,
        };
        if !taken && self.reader.found.len() < MOST_PARTS {
            self.reader.found.push(found);
        }
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn field(&mut self, number: u32, payload: Payload<'a>, pos: Pos) {
        match (number, payload) {
            (1, Payload::Bytes(id)) => self.call.trace = trace_hash(id),
            (2, Payload::Bytes(id)) => self.call.id = id_of(id),
            (4, Payload::Bytes(id)) => self.call.parent = id_of(id),
            (5, Payload::Bytes(text)) => self.seen.name = text,
            (6, Payload::Varint(kind)) => (self.call.server, self.seen.client) = (kind == 2, kind == 3),
            (7, Payload::Fixed64(start)) => self.call.start = start,
            (8, Payload::Fixed64(end)) => self.call.end = end,
            (11, Payload::Bytes(body)) if self.reader.events.len() < MOST_PARTS => {
                self.reader.events.push((body, pos));
            }
            (15, Payload::Bytes(body)) => self.seen.status.merge(body),
            _ => {}
        }
    }
}

/// Whether a value is a double that is no number, or infinite: backends answer such a span with errors.
#[inline]
fn is_not_finite(value: ValueRef<'_>) -> bool {
    value.raw().first() == Some(&0x21) && matches!(value.get(), AnyValue::Double(number) if !number.is_finite())
}

fn id_of(id: &[u8]) -> u64 {
    id.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn trace_hash(id: &[u8]) -> u64 {
    let (head, tail) = (id_of(id), id.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
    head ^ tail.rotate_left(32)
}
