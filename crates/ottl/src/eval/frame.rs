//! What one evaluation reads: the resource, scope, span and event at hand, each scanned once for all expressions of a
//! program.

use std::ops::ControlFlow;

use bumpalo::Bump;
use spanmill_otlp::{
    Attribute, EventRef, KeyTable, Message, Patches, Payload, Pos, ResourceIx, ResourceRef, ScopeIx, ScopeRef, Slot,
    SpanIx, SpanRef, StatusRef, ValueRef, Visitor,
};

use super::client::{ClientInfo, ClientView};
use super::edits::Draft;
use super::record::Record;

/// Where attributes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Resource,
    Scope,
    Span,
    Event,
    /// What statements note for those that follow.
    Cache,
    /// A log record. Of records, metrics and points the message here holds the attributes alone.
    Log,
    /// A metric, whose attributes are called metadata.
    Metric,
    /// A point of a metric.
    Point,
}

/// A set of levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels(u8);

/// The attribute keys that the expressions of a program read, numbered.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    resource: Keys,
    scope: Keys,
    span: Keys,
    event: Keys,
    cache: Keys,
    log: Keys,
    metric: Keys,
    point: Keys,
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
    keys: [Vec<String>; LEVELS],
    fields: bool,
    client: bool,
}

/// A place for the values that expressions read. It is made once a request and moved from span to span. Where statements
/// edit, what they change stands here until the whole is noted in a draft.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) resource: Table<'a>,
    pub(crate) resource_ix: Option<ResourceIx>,
    pub(crate) resource_fields: ResourceFields<'a>,
    pub(crate) scope: Table<'a>,
    pub(crate) scope_ix: Option<ScopeIx>,
    pub(crate) scope_fields: ScopeFields<'a>,
    pub(crate) span: Table<'a>,
    pub(crate) span_ix: Option<SpanIx>,
    /// Filled where the program reads any of them; so are those of the other levels.
    pub(crate) fields: SpanFields<'a>,
    pub(crate) event: Table<'a>,
    pub(crate) event_fields: EventFields<'a>,
    pub(crate) event_index: Option<i64>,
    pub(crate) cache: Table<'a>,
    pub(crate) log: Table<'a>,
    pub(crate) metric: Table<'a>,
    pub(crate) point: Table<'a>,
    /// The log record, or the metric and its point; none where spans are looked at.
    pub(crate) record: Option<Box<Record<'a>>>,
    /// What is needed for editing; none where nothing is edited.
    pub(crate) draft: Option<Box<Draft<'a>>>,
    /// What is known about the client.
    client: Option<ClientView<'a>>,
}

/// One message and its attributes by slot.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) values: Vec<Option<ValueRef<'a>>>,
    /// Where the attributes lie that have a value.
    pub(crate) places: Vec<Pos>,
    /// How many keys were not found yet.
    missing: usize,
}

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
pub(crate) const CACHE_ENTRIES: u32 = 1;
pub(crate) const RECORD_ATTRIBUTES: u32 = 1;
/// How many levels there are.
pub(crate) const LEVELS: usize = 8;

// === impl Level ===

impl Level {
    /// The number of the field that holds attributes.
    pub(crate) fn attributes(self) -> u32 {
        match self {
            Self::Resource => RESOURCE_ATTRIBUTES,
            Self::Scope => SCOPE_ATTRIBUTES,
            Self::Span => SPAN_ATTRIBUTES,
            Self::Event => EVENT_ATTRIBUTES,
            Self::Cache => CACHE_ENTRIES,
            Self::Log | Self::Metric | Self::Point => RECORD_ATTRIBUTES,
        }
    }
}

// === impl Levels ===

impl Levels {
    pub(crate) fn insert(&mut self, level: Level) {
        self.0 |= 1 << level as u8;
    }

    pub(crate) fn remove(&mut self, level: Level) {
        self.0 &= !(1 << level as u8);
    }

    pub(crate) fn contains(self, level: Level) -> bool {
        self.0 >> level as u8 & 1 != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any level is in both.
    #[inline]
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

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
        let Self { keys, fields, client } = self;
        let [resource, scope, span, event, cache, log, metric, point] = keys.map(Keys::new);
        Slots { resource, scope, span, event, cache, log, metric, point, fields, client }
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
    /// A frame for a request that is only read.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            slots: self,
            resource: Table::new(),
            resource_ix: None,
            resource_fields: ResourceFields::default(),
            scope: Table::new(),
            scope_ix: None,
            scope_fields: ScopeFields::default(),
            span: Table::new(),
            span_ix: None,
            fields: SpanFields::default(),
            event: Table::new(),
            event_fields: EventFields::default(),
            event_index: None,
            cache: Table::new(),
            log: Table::new(),
            metric: Table::new(),
            point: Table::new(),
            record: None,
            draft: None,
            client: None,
        }
    }

    /// The same for a request that a client sent, where it is known.
    pub fn frame_for<'a>(&'a self, client: Option<&'a ClientInfo>) -> Frame<'a> {
        Frame { client: client.map(ClientInfo::view), ..self.frame() }
    }

    /// A frame in which statements edit; what they make goes to the arena.
    pub(crate) fn editing<'a>(&'a self, arena: &'a Bump, patches: Patches) -> Frame<'a> {
        Frame { draft: Some(Box::new(Draft::new(arena, patches))), ..self.frame() }
    }

    /// Whether it makes a difference to enter a client.
    pub fn reads_client(&self) -> bool {
        self.client
    }

    /// How many keys there are at a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.keys(level).table.len()
    }

    fn keys(&self, level: Level) -> &Keys {
        match level {
            Level::Resource => &self.resource,
            Level::Scope => &self.scope,
            Level::Span => &self.span,
            Level::Event => &self.event,
            Level::Cache => &self.cache,
            Level::Log => &self.log,
            Level::Metric => &self.metric,
            Level::Point => &self.point,
        }
    }

    /// The key of a slot.
    pub(crate) fn key(&self, level: Level, slot: Slot) -> &[u8] {
        self.keys(level).table.key(slot).unwrap_or(&[])
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Makes the client known that sent the data.
    pub fn enter_client(&mut self, client: &'a ClientInfo) {
        self.client = Some(client.view());
    }

    pub(crate) fn client(&self) -> Option<&ClientView<'a>> {
        self.client.as_ref()
    }

    /// Moves to a resource.
    pub fn enter_resource(&mut self, resource: ResourceRef<'a>) {
        let message = resource.message();
        self.resource_ix = Some(resource.ix());
        self.resource.fill(message, RESOURCE_ATTRIBUTES, &self.slots.resource);
        if self.slots.fields {
            let dropped_attributes = resource.dropped_attributes_count();
            self.resource_fields = ResourceFields { dropped_attributes, schema_url: resource.schema_url() };
        }
    }

    /// Moves to a scope of the resource.
    pub fn enter_scope(&mut self, scope: ScopeRef<'a>) {
        self.scope_ix = Some(scope.ix());
        self.scope.fill(scope.message(), SCOPE_ATTRIBUTES, &self.slots.scope);
        if self.slots.fields {
            self.scope_fields = ScopeFields {
                name: scope.name(),
                version: scope.version(),
                dropped_attributes: scope.dropped_attributes_count(),
                schema_url: scope.schema_url(),
            };
        }
    }

    /// Moves to a span of the scope.
    #[inline]
    pub fn enter_span(&mut self, span: SpanRef<'a>) {
        self.span_ix = Some(span.ix());
        self.read_span(span.message());
    }

    /// Reads a span's message.
    #[inline]
    pub(crate) fn read_span(&mut self, message: Message<'a>) {
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
        self.event_index = index;
        self.event.fill(event.message(), EVENT_ATTRIBUTES, &self.slots.event);
        if self.slots.fields {
            self.event_fields = EventFields {
                time: event.time_unix_nano(),
                name: event.name(),
                dropped_attributes: event.dropped_attributes_count(),
            };
        }
    }

    /// Reads another message at a level; fields that are no attributes stay as they are.
    pub(crate) fn read_table(&mut self, level: Level, message: Message<'a>) {
        let slots = self.slots;
        self.table_mut(level).fill(message, level.attributes(), slots.keys(level));
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
            Level::Cache => &self.cache,
            Level::Log => &self.log,
            Level::Metric => &self.metric,
            Level::Point => &self.point,
        }
    }

    pub(crate) fn table_mut(&mut self, level: Level) -> &mut Table<'a> {
        match level {
            Level::Resource => &mut self.resource,
            Level::Scope => &mut self.scope,
            Level::Span => &mut self.span,
            Level::Event => &mut self.event,
            Level::Cache => &mut self.cache,
            Level::Log => &mut self.log,
            Level::Metric => &mut self.metric,
            Level::Point => &mut self.point,
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
        Self { message: Message::standalone(&[]), values: Vec::new(), places: Vec::new(), missing: 0 }
    }

    #[inline]
    fn clear(&mut self, message: Message<'a>, keys: &Keys) {
        self.message = message;
        self.values.clear();
        self.values.resize(keys.table.len(), None);
        // What stands there from before is read only where there is a value.
        self.places.resize(keys.table.len(), Pos::default());
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
            self.keep(slot, value, pos);
        }
    }

    #[inline]
    fn keep(&mut self, slot: Slot, value: ValueRef<'a>, pos: Pos) {
        if let (Some(kept @ None), Some(place)) =
            (self.values.get_mut(usize::from(slot)), self.places.get_mut(usize::from(slot)))
        {
            (*kept, *place) = (Some(value), pos);
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
                            general.keep(slot, value, field.pos);
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
