//! What one evaluation reads: the resource, scope, span and event at hand, each scanned once for all expressions of a
//! program.

use spanmill_otlp::{
    Attribute, EventRef, KeyTable, Message, Payload, ResourceRef, ScopeRef, Slot, SpanRef, StatusRef, ValueRef,
};

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
    pub(crate) fields: SpanFields<'a>,
    pub(crate) event: Table<'a>,
    pub(crate) event_ref: Option<EventRef<'a>>,
    pub(crate) event_index: Option<i64>,
}

/// One message and its attributes by slot.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    pub(crate) message: Message<'a>,
    values: Vec<Option<ValueRef<'a>>>,
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

    pub(crate) fn build(self) -> Slots {
        let [resource, scope, span, event] = self.keys.map(Keys::new);
        Slots { resource, scope, span, event }
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
        }
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
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
        self.span.clear(span.message(), &self.slots.span);
        self.fields = SpanFields::default();
        let fields = &mut self.fields;
        for field in span.fields() {
            match (field.number, field.payload) {
                (SPAN_ATTRIBUTES, Payload::Bytes(body)) => self.span.note(body, &self.slots.span),
                (5, Payload::Bytes(name)) => fields.name = name,
                (6, Payload::Varint(kind)) => fields.kind = kind as i32,
                (7, Payload::Fixed64(start)) => fields.start = start,
                (8, Payload::Fixed64(end)) => fields.end = end,
                (1, Payload::Bytes(id)) => fields.trace_id = id,
                (2, Payload::Bytes(id)) => fields.span_id = id,
                (3, Payload::Bytes(state)) => fields.trace_state = state,
                (4, Payload::Bytes(id)) => fields.parent_span_id = id,
                (10, Payload::Varint(count)) => fields.dropped_attributes = count as u32,
                (12, Payload::Varint(count)) => fields.dropped_events = count as u32,
                (14, Payload::Varint(count)) => fields.dropped_links = count as u32,
                (15, Payload::Bytes(status)) => fields.status.merge(status),
                (16, Payload::Fixed32(flags)) => fields.flags = flags,
                _ => {}
            }
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

// === impl Table ===

impl<'a> Table<'a> {
    fn new() -> Self {
        Self { message: Message::standalone(&[]), values: Vec::new() }
    }

    #[inline]
    fn clear(&mut self, message: Message<'a>, keys: &Keys) {
        self.message = message;
        self.values.clear();
        self.values.resize(keys.table.len(), None);
    }

    fn fill(&mut self, message: Message<'a>, number: u32, keys: &Keys) {
        self.clear(message, keys);
        if keys.table.is_empty() {
            return;
        }
        for field in message.fields() {
            if let (true, Payload::Bytes(body)) = (field.number == number, field.payload) {
                self.note(body, keys);
            }
        }
    }

    /// Keeps the value of an encoded `KeyValue` where its key is wanted. The first of several counts.
    #[inline]
    fn note(&mut self, body: &'a [u8], keys: &Keys) {
        if keys.lengths == 0 {
            return;
        }
        if let [0x0a, len @ 0..0x80, rest @ ..] = body
            && let Some((key, value)) = rest.split_at_checked(usize::from(*len))
            && let [0x12, value_len @ 0..0x80, value @ ..] = value
            && value.len() == usize::from(*value_len)
        {
            // As every known sender writes short attributes: key, value, nothing else.
            if let Some(slot) = keys.get(key) {
                self.keep(slot, ValueRef::new(value));
            }
            return;
        }
        let (key, value) = general(body);
        if let Some(slot) = keys.get(key) {
            self.keep(slot, value);
        }
    }

    #[inline]
    fn keep(&mut self, slot: Slot, value: ValueRef<'a>) {
        if let Some(kept) = self.values.get_mut(usize::from(slot)) {
            kept.get_or_insert(value);
        }
    }
}

/// Any encoded `KeyValue`.
fn general(body: &[u8]) -> (&[u8], ValueRef<'_>) {
    // The position is that of the attribute in its message, which nobody asks for here.
    let position = Message::standalone(body).fields().next().map(|field| field.pos);
    match position {
        Some(pos) => {
            let read = Attribute::read(body, pos);
            (read.key, read.value)
        }
        None => (&[], ValueRef::new(&[])),
    }
}
