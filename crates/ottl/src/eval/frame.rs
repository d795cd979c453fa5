//! What one evaluation reads: the resource, scope, span and event at hand, each scanned once for all expressions of a
//! program.

use std::ops::ControlFlow;

use spanmill_otlp::{
    Attribute, EventRef, KeyTable, Message, Payload, Pos, ResourceRef, ScopeRef, Slot, SpanRef, StatusRef, ValueRef,
    Visitor,
};

use super::client::{ClientInfo, ClientMap};

/// Where attributes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Resource,
    Scope,
    Span,
    Event,
}

/// The attribute keys that the expressions of a program read, numbered.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    resource: Keys,
    scope: Keys,
    span: Keys,
    event: Keys,
    /// Whether fields of spans beside attributes are read; where not, a span is read only as far as its attributes are wanted.
    fields: bool,
    /// Whether anything about the client is read.
    client: bool,
}

/// The keys of one level.
#[derive(Debug, Clone, Default)]
struct Keys {
    table: KeyTable,
    /// Bit `n` is set where a key of length `n` (modulo 64) is in the table: most attributes need no look-up.
    lengths: u64,
}

/// Collects keys while expressions are compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct SlotsBuilder {
    keys: [Vec<String>; 4],
    fields: bool,
    client: bool,
}

/// A place for the values that expressions read. It is made once a request and moved from span to span.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    slots: &'a Slots,
    pub(crate) resource: Table<'a>,
    pub(crate) resource_ref: Option<ResourceRef<'a>>,
    pub(crate) scope: Table<'a>,
    pub(crate) scope_ref: Option<ScopeRef<'a>>,
    pub(crate) span: Table<'a>,
    /// Filled where the program reads any of them.
    pub(crate) fields: SpanFields<'a>,
    pub(crate) event: Table<'a>,
    pub(crate) event_ref: Option<EventRef<'a>>,
    pub(crate) event_index: Option<i64>,
    /// Metadata and gRPC's metadata of the client, where it is known.
    client: Option<[Message<'a>; 2]>,
}

/// One message and its attributes by slot.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    pub(crate) message: Message<'a>,
    values: Vec<Option<ValueRef<'a>>>,
    /// How many keys were not found yet.
    missing: usize,
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

/// Takes all of a span.
struct Whole<'t, 'a> {
    table: &'t mut Table<'a>,
    fields: &'t mut SpanFields<'a>,
    keys: &'t Keys,
}

/// Takes the attributes that are wanted, until all of them were found.
struct Wanted<'t, 'a> {
    table: &'t mut Table<'a>,
    keys: &'t Keys,
}

/// The field numbers of attributes.
pub(crate) const RESOURCE_ATTRIBUTES: u32 = 1;
pub(crate) const SCOPE_ATTRIBUTES: u32 = 3;
pub(crate) const SPAN_ATTRIBUTES: u32 = 9;
pub(crate) const EVENT_ATTRIBUTES: u32 = 3;

// === impl SlotsBuilder ===

impl SlotsBuilder {
    /// The slot of a key; none where there are too many keys.
    pub(crate) fn slot(&mut self, level: Level, key: &str) -> Option<Slot> {
        let keys = self.keys.get_mut(level as usize)?;
        let at = keys.iter().position(|known| known == key).unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        });
        Slot::try_from(at).ok().filter(|slot| *slot < Slot::MAX)
    }

    /// Notes that a field is read that is no attribute.
    pub(crate) fn reads_fields(&mut self) {
        self.fields = true;
    }

    /// Notes that something about the client is read.
    pub(crate) fn reads_client(&mut self) {
        self.client = true;
    }

    pub(crate) fn build(self) -> Slots {
        let [resource, scope, span, event] = self.keys.map(Keys::new);
        Slots { resource, scope, span, event, fields: self.fields, client: self.client }
    }
}

// === impl Keys ===

impl Keys {
    fn new(keys: Vec<String>) -> Self {
        let lengths = keys.iter().fold(0, |lengths, key| lengths | 1 << (key.len() & 63));
        Self { table: KeyTable::new(keys), lengths }
    }

    #[inline]
    fn get(&self, key: &[u8]) -> Option<Slot> {
        if self.lengths >> (key.len() & 63) & 1 == 0 { None } else { self.table.get(key) }
    }
}

// === impl Slots ===

impl Slots {
    /// A frame for a request.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            slots: self,
            resource: Table::new(),
            resource_ref: None,
            scope: Table::new(),
            scope_ref: None,
            span: Table::new(),
            fields: SpanFields::default(),
            event: Table::new(),
            event_ref: None,
            event_index: None,
            client: None,
        }
    }

    /// Whether it makes a difference to enter a client.
    pub fn reads_client(&self) -> bool {
        self.client
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Makes the client known that sent the data.
    pub fn enter_client(&mut self, client: &'a ClientInfo) {
        self.client = Some([ClientMap::Metadata, ClientMap::Grpc].map(|map| client.message(map)));
    }

    pub(crate) fn client(&self, map: ClientMap) -> Option<&Message<'a>> {
        let [metadata, grpc] = self.client.as_ref()?;
        Some(match map {
            ClientMap::Metadata => metadata,
            ClientMap::Grpc => grpc,
        })
    }

    /// Moves to a resource.
    pub fn enter_resource(&mut self, resource: ResourceRef<'a>) {
        self.resource_ref = Some(resource);
        self.resource.fill(resource.message(), RESOURCE_ATTRIBUTES, &self.slots.resource);
    }

    /// Moves to a scope of the resource.
    pub fn enter_scope(&mut self, scope: ScopeRef<'a>) {
        self.scope_ref = Some(scope);
        self.scope.fill(scope.message(), SCOPE_ATTRIBUTES, &self.slots.scope);
    }

    /// Moves to a span of the scope.
    #[inline]
    pub fn enter_span(&mut self, span: SpanRef<'a>) {
        let message = span.message();
        self.span.clear(message, &self.slots.span);
        if self.slots.fields {
            self.fields = SpanFields::default();
            let Self { span: table, fields, slots, .. } = self;
            message.visit(SPAN_ATTRIBUTES, &mut Whole { table, fields, keys: &slots.span });
        } else if self.span.missing > 0 {
            message.visit(SPAN_ATTRIBUTES, &mut Wanted { table: &mut self.span, keys: &self.slots.span });
        }
    }

    /// Moves to an event of the span. `index` is its number among the events, where the caller tells it.
    pub fn enter_event(&mut self, event: EventRef<'a>, index: Option<i64>) {
        self.event_ref = Some(event);
        self.event_index = index;
        self.event.fill(event.message(), EVENT_ATTRIBUTES, &self.slots.event);
    }

    #[inline]
    pub(crate) fn slot(&self, level: Level, slot: Slot) -> Option<ValueRef<'a>> {
        self.table(level).values.get(usize::from(slot)).copied().flatten()
    }

    #[inline]
    pub(crate) fn table(&self, level: Level) -> &Table<'a> {
        match level {
            Level::Resource => &self.resource,
            Level::Scope => &self.scope,
            Level::Span => &self.span,
            Level::Event => &self.event,
        }
    }
}

// === impl SpanFields ===

impl<'a> SpanFields<'a> {
    /// Keeps a field of a span; of a repeated scalar the last one counts.
    #[inline]
    fn note(&mut self, number: u32, payload: Payload<'a>) {
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

// === impl Whole ===

impl<'a> Visitor<'a> for Whole<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        self.table.note(body, pos, self.keys);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn field(&mut self, number: u32, payload: Payload<'a>, _: Pos) {
        self.fields.note(number, payload);
    }
}

// === impl Wanted ===

impl<'a> Visitor<'a> for Wanted<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        self.table.note(body, pos, self.keys);
        if self.table.missing == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    #[inline(always)]
    fn field(&mut self, _: u32, _: Payload<'a>, _: Pos) {}
}

// === impl Table ===

impl<'a> Table<'a> {
    fn new() -> Self {
        Self { message: Message::standalone(&[]), values: Vec::new(), missing: 0 }
    }

    #[inline]
    fn clear(&mut self, message: Message<'a>, keys: &Keys) {
        self.message = message;
        self.values.clear();
        self.values.resize(keys.table.len(), None);
        self.missing = keys.table.len();
    }

    fn fill(&mut self, message: Message<'a>, number: u32, keys: &Keys) {
        self.clear(message, keys);
        if keys.table.is_empty() {
            return;
        }
        for field in message.fields() {
            if let (true, Payload::Bytes(body)) = (field.number == number, field.payload) {
                self.note(body, field.pos, keys);
            }
        }
    }

    /// Keeps the value of an encoded `KeyValue` where its key is wanted. The first of several counts.
    #[inline(always)]
    fn note(&mut self, body: &'a [u8], pos: Pos, keys: &Keys) {
        if keys.lengths == 0 {
            return;
        }
        let Attribute { key, value, .. } = Attribute::read(body, pos);
        if let Some(slot) = keys.get(key) {
            self.keep(slot, value);
        }
    }

    #[inline]
    fn keep(&mut self, slot: Slot, value: ValueRef<'a>) {
        if let Some(kept @ None) = self.values.get_mut(usize::from(slot)) {
            *kept = Some(value);
            self.missing -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encodes a varint with needless bytes.
    fn varint(out: &mut Vec<u8>, mut value: u64, needless: usize) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        for _ in 0..needless {
            if let Some(last) = out.last_mut() {
                *last |= 0x80;
            }
            out.push(0);
        }
    }

    fn delimited(out: &mut Vec<u8>, number: u64, body: &[u8], needless: usize) {
        varint(out, number << 3 | 2, needless / 2);
        varint(out, body.len() as u64, needless % 2);
        out.extend_from_slice(body);
    }

    /// An attribute, its parts in either order, or repeated, or missing.
    fn attribute() -> impl Strategy<Value = Vec<u8>> {
        let part = (1_u64..4, prop::sample::select(vec!["a", "bb", "ccc", "x", "\x18\x07", "\x0a\x01v"]), 0_usize..4);
        prop::collection::vec(part, 0..4).prop_map(|parts| {
            let mut out = Vec::new();
            for (number, text, needless) in parts {
                delimited(&mut out, number, text.as_bytes(), needless);
            }
            out
        })
    }

    fn field() -> impl Strategy<Value = Vec<u8>> {
        let text = prop::collection::vec(any::<u8>(), 0..300);
        prop_oneof![
            4 => (attribute(), 0_usize..4).prop_map(|(body, needless)| (9, body, needless)),
            2 => (prop::sample::select(vec![1_u64, 2, 3, 4, 5, 11, 13, 17, 40]), text, 0_usize..4),
            1 => (Just(15), Just(b"\x12\x01m\x18\x02".to_vec()), 0_usize..4),
        ]
        .prop_map(|(number, body, needless)| {
            let mut out = Vec::new();
            delimited(&mut out, number, &body, needless);
            out
        })
    }

    /// A field that is no message and no text.
    fn scalar() -> impl Strategy<Value = Vec<u8>> {
        (prop::sample::select(vec![6_u64, 7, 8, 10, 12, 14, 16, 30]), any::<u32>(), 0_usize..3).prop_map(
            |(number, value, needless)| {
                let mut out = Vec::new();
                let wire = match number {
                    7 | 8 => 1,
                    16 => 5,
                    _ => 0,
                };
                varint(&mut out, number << 3 | wire, needless);
                match wire {
                    1 => out.extend_from_slice(&u64::from(value).to_le_bytes()),
                    5 => out.extend_from_slice(&value.to_le_bytes()),
                    _ => varint(&mut out, u64::from(value), needless),
                }
                out
            },
        )
    }

    proptest! {
        /// Scenario: spans of arbitrary fields, repeated, out of order, encoded with needless bytes.
        /// Guarantees: the fast reader keeps the very same as the general one.
        #[test]
        fn fast_and_general_reader_agree(fields in prop::collection::vec(prop_oneof![field(), scalar()], 0..12)) {
            let encoded = fields.concat();
            let message = Message::standalone(&encoded);
            let keys = Keys::new(vec!["a".to_owned(), "bb".to_owned(), "ccc".to_owned(), String::new()]);
            let (mut fast, mut fast_fields) = (Table::new(), SpanFields::default());
            fast.clear(message, &keys);
            message.visit(SPAN_ATTRIBUTES, &mut Whole { table: &mut fast, fields: &mut fast_fields, keys: &keys });
            prop_assert_eq!(fast.missing, fast.values.iter().filter(|value| value.is_none()).count());
            let (mut general, mut general_fields) = (Table::new(), SpanFields::default());
            general.clear(message, &keys);
            for field in message.fields() {
                match (field.number, field.payload) {
                    (SPAN_ATTRIBUTES, Payload::Bytes(body)) => {
                        let Attribute { key, value, .. } = Attribute::read(body, field.pos);
                        if let Some(slot) = keys.table.get(key) {
                            general.keep(slot, value);
                        }
                    }
                    (number, payload) => general_fields.note(number, payload),
                }
            }
            prop_assert_eq!(format!("{:?}{:?}", fast.values, fast_fields), format!("{:?}{:?}", general.values, general_fields));
            let mut short = Table::new();
            short.clear(message, &keys);
            if short.missing > 0 {
                message.visit(SPAN_ATTRIBUTES, &mut Wanted { table: &mut short, keys: &keys });
            }
            prop_assert_eq!(format!("{:?}", short.values), format!("{:?}", general.values));
        }
    }
}
