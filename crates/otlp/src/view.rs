//! Borrowed views of a request. They see edits, decode nothing that is not asked for, and allocate nothing.

use crate::edit::{ARENA, ResourceIx, ScopeIx, Segment, SpanIx};
use crate::index::Span32;
use crate::traces::Traces;
use crate::wire::{RawField, field};

pub use crate::wire::Payload;

/// Where a top-level field of a message lies, tag included. It stays good for a [`Patch`](crate::Patch) to the same
/// message until that field is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pos {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The field number.
    pub number: u32,
    /// Its contents.
    pub payload: Payload<'a>,
    /// Where it lies.
    pub pos: Pos,
}

/// A message, possibly edited: its fields in order.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    base: &'a [u8],
    arena: &'a [u8],
    pieces: Pieces<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Pieces<'a> {
    One(u32, u32),
    Parts(&'a [Span32]),
    Rope(&'a [Segment]),
}

/// The fields of a [`Message`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    message: Message<'a>,
    /// The piece being read, up to its end; its first byte has offset `base`.
    buf: &'a [u8],
    pos: usize,
    base: u32,
    next_piece: usize,
}

/// An attribute: key, value, and where it lies.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The key, as found (it should be UTF-8).
    pub key: &'a [u8],
    /// The value.
    pub value: ValueRef<'a>,
    /// Where the whole attribute lies.
    pub pos: Pos,
}

/// The attributes of a [`Message`].
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    fields: Fields<'a>,
    number: u32,
}

/// An encoded `AnyValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRef<'a>(&'a [u8]);

/// What a [`ValueRef`] holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyValue<'a> {
    /// No value.
    Empty,
    /// Text, as found (it should be UTF-8).
    Text(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// An encoded `ArrayValue`: see [`ValueRef::elements`].
    Array(&'a [u8]),
    /// An encoded `KeyValueList`: see [`ValueRef::entries`].
    Map(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A resource and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct ResourceRef<'a> {
    traces: &'a Traces,
    ix: ResourceIx,
}

/// A scope and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct ScopeRef<'a> {
    traces: &'a Traces,
    ix: ScopeIx,
}

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

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventRef<'a> {
    message: Message<'a>,
    /// Where the whole event lies in its span.
    pub pos: Pos,
}

/// A link of a span.
#[derive(Debug, Clone, Copy)]
pub struct LinkRef<'a> {
    message: Message<'a>,
    /// Where the whole link lies in its span.
    pub pos: Pos,
}

// === impl Message ===

impl<'a> Message<'a> {
    pub(crate) fn one(base: &'a [u8], start: u32, end: u32) -> Self {
        Self { base, arena: &[], pieces: Pieces::One(start, end) }
    }

    pub(crate) fn parts(base: &'a [u8], parts: &'a [Span32]) -> Self {
        Self { base, arena: &[], pieces: Pieces::Parts(parts) }
    }

    pub(crate) fn rope(base: &'a [u8], arena: &'a [u8], segments: &'a [Segment]) -> Self {
        Self { base, arena, pieces: Pieces::Rope(segments) }
    }

    /// A message that stands alone, such as an event that was taken out of its span.
    pub fn standalone(bytes: &'a [u8]) -> Self {
        Self::one(bytes, 0, bytes.len() as u32)
    }

    /// The encoded message in pieces of whole fields: one piece, unless it was edited or came in parts.
    #[inline]
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let message = *self;
        let mut next = 0;
        std::iter::from_fn(move || {
            let (piece, _) = message.piece(next)?;
            next += 1;
            Some(piece)
        })
    }

    /// Its fields, in order.
    pub fn fields(&self) -> Fields<'a> {
        Fields { message: *self, buf: &[], pos: 0, base: 0, next_piece: 0 }
    }

    /// Its attributes, given the number of that field.
    pub fn attributes(&self, number: u32) -> Attributes<'a> {
        Attributes { fields: self.fields(), number }
    }

    /// The last occurrence of a field, which is the one that counts for scalars.
    pub fn last(&self, number: u32) -> Option<Payload<'a>> {
        self.fields().filter(|field| field.number == number).last().map(|field| field.payload)
    }

    /// The encoded message. Pieces of an edited one are put together.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some((bytes, _)) = self.piece(at) {
            out.extend_from_slice(bytes);
            at += 1;
        }
        out
    }

    fn bytes(&self, number: u32) -> &'a [u8] {
        match self.last(number) {
            Some(Payload::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    fn varint(&self, number: u32) -> u64 {
        match self.last(number) {
            Some(Payload::Varint(value)) => value,
            _ => 0,
        }
    }

    fn fixed64(&self, number: u32) -> u64 {
        match self.last(number) {
            Some(Payload::Fixed64(value)) => value,
            _ => 0,
        }
    }

    fn fixed32(&self, number: u32) -> u32 {
        match self.last(number) {
            Some(Payload::Fixed32(value)) => value,
            _ => 0,
        }
    }

    /// The bytes of a piece and the offset of their first one.
    fn piece(&self, at: usize) -> Option<(&'a [u8], u32)> {
        let (start, end) = match self.pieces {
            Pieces::One(start, end) => (at == 0).then_some((start, end))?,
            Pieces::Parts(parts) => *parts.get(at)?,
            Pieces::Rope(segments) => segments.get(at).map(|segment| (segment.start, segment.end))?,
        };
        let source = if start & ARENA == 0 { self.base } else { self.arena };
        let bytes = source.get((start & !ARENA) as usize..(end & !ARENA) as usize)?;
        Some((bytes, start))
    }
}

// === impl Fields ===

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        // Most fields of spans are length-delimited and short, with tag and length of one byte each.
        if let Some([tag @ 0x0a..=0x7f, len @ 0..=0x7f]) = self.buf.get(self.pos..).and_then(|rest| rest.first_chunk())
            && tag & 7 == 2
        {
            let (body, end) = (self.pos + 2, self.pos + 2 + usize::from(*len));
            if let Some(bytes) = self.buf.get(body..end) {
                let pos = Pos { start: self.base + self.pos as u32, end: self.base + end as u32 };
                self.pos = end;
                return Some(Field { number: u32::from(tag >> 3), payload: Payload::Bytes(bytes), pos });
            }
        }
        self.next_of_any_kind()
    }
}

impl<'a> Fields<'a> {
    /// The next field, of any encoding, and of the next piece where this one is at its end.
    fn next_of_any_kind(&mut self) -> Option<Field<'a>> {
        while self.pos >= self.buf.len() {
            let (buf, base) = self.message.piece(self.next_piece)?;
            (self.buf, self.base, self.pos) = (buf, base, 0);
            self.next_piece += 1;
        }
        // The scan has checked all framing, so this ends early only for a message that was never scanned.
        let RawField { number, payload, end } = field(self.buf, self.pos).ok()?;
        let pos = Pos { start: self.base + self.pos as u32, end: self.base + end as u32 };
        self.pos = end;
        Some(Field { number, payload, pos })
    }

    /// What was not read yet of the piece that is being read.
    #[inline]
    pub fn remaining(&self) -> &'a [u8] {
        self.buf.get(self.pos..).unwrap_or(&[])
    }
}

// === impl Attributes ===

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        loop {
            let field = self.fields.next()?;
            if let (true, Payload::Bytes(body)) = (field.number == self.number, field.payload) {
                return Some(Attribute::read(body, field.pos));
            }
        }
    }
}

// === impl Attribute ===

impl<'a> Attribute<'a> {
    /// Reads an encoded `KeyValue`.
    #[inline]
    pub fn read(body: &'a [u8], pos: Pos) -> Self {
        let (key, value) = key_value(body);
        Self { key, value, pos }
    }

    /// The key, where it is UTF-8.
    pub fn key_str(&self) -> Option<&'a str> {
        std::str::from_utf8(self.key).ok()
    }
}

/// The encoding of a `KeyValue` that all SDKs write: a short key, then a short value.
#[inline]
fn plain_key_value(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key_len @ 0..=0x7f, rest @ ..] = body else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*key_len))?;
    let [0x12, value_len @ 1..=0x7f, value @ ..] = rest else { return None };
    (value.len() == usize::from(*value_len)).then_some((key, value))
}

#[inline]
fn key_value(body: &[u8]) -> (&[u8], ValueRef<'_>) {
    if let Some((key, value)) = plain_key_value(body) {
        return (key, ValueRef(value));
    }
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    let mut pos = 0;
    while pos < body.len() {
        let Ok(RawField { number, payload, end }) = field(body, pos) else { break };
        match (number, payload) {
            (1, Payload::Bytes(bytes)) => key = bytes,
            // Where the value is repeated, what the last one sets counts; an empty one sets nothing.
            (2, Payload::Bytes(bytes)) if !bytes.is_empty() => value = bytes,
            _ => {}
        }
        pos = end;
    }
    (key, ValueRef(value))
}

// === impl ValueRef ===

impl<'a> ValueRef<'a> {
    /// Views an encoded `AnyValue`.
    pub fn new(encoded: &'a [u8]) -> Self {
        Self(encoded)
    }

    /// The encoded `AnyValue`.
    pub fn raw(self) -> &'a [u8] {
        self.0
    }

    /// What it holds. Where the bytes hold several alternatives, the last one counts, as protobuf has it.
    #[inline]
    pub fn get(self) -> AnyValue<'a> {
        // What SDKs write for short values; the loop below reads every encoding.
        match self.0 {
            [0x0a, len @ 0..=0x7f, text @ ..] if text.len() == usize::from(*len) => return AnyValue::Text(text),
            [0x18, value @ 0..=0x7f] => return AnyValue::Int(i64::from(*value)),
            [0x18, low @ 0x80..=0xff, high @ 0..=0x7f] => {
                return AnyValue::Int(i64::from(low & 0x7f) | i64::from(*high) << 7);
            }
            [0x10, flag @ 0..=0x7f] => return AnyValue::Bool(*flag != 0),
            _ => {}
        }
        let mut found = AnyValue::Empty;
        let mut pos = 0;
        while pos < self.0.len() {
            let Ok(RawField { number, payload, end }) = field(self.0, pos) else { break };
            found = match (number, payload) {
                (1, Payload::Bytes(bytes)) => AnyValue::Text(bytes),
                (2, Payload::Varint(value)) => AnyValue::Bool(value != 0),
                (3, Payload::Varint(value)) => AnyValue::Int(value as i64),
                (4, Payload::Fixed64(bits)) => AnyValue::Double(f64::from_bits(bits)),
                (5, Payload::Bytes(bytes)) => AnyValue::Array(bytes),
                (6, Payload::Bytes(bytes)) => AnyValue::Map(bytes),
                (7, Payload::Bytes(bytes)) => AnyValue::Bytes(bytes),
                _ => found,
            };
            pos = end;
        }
        found
    }

    /// The text, where it is one and is UTF-8.
    pub fn as_str(self) -> Option<&'a str> {
        match self.get() {
            AnyValue::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The integer, where it is one.
    pub fn as_int(self) -> Option<i64> {
        match self.get() {
            AnyValue::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The elements, where it is an array; nothing otherwise.
    pub fn elements(self) -> impl Iterator<Item = ValueRef<'a>> + Clone {
        let body = match self.get() {
            AnyValue::Array(body) => body,
            _ => &[],
        };
        repeated(body).map(ValueRef)
    }

    /// The entries, where it is a map; nothing otherwise.
    pub fn entries(self) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>)> + Clone {
        let body = match self.get() {
            AnyValue::Map(body) => body,
            _ => &[],
        };
        repeated(body).map(key_value)
    }
}

/// The bodies of field 1.
fn repeated(body: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    Message::standalone(body).fields().filter_map(|field| match (field.number, field.payload) {
        (1, Payload::Bytes(bytes)) => Some(bytes),
        _ => None,
    })
}

// === impl ResourceRef ===

impl<'a> ResourceRef<'a> {
    pub(crate) fn new(traces: &'a Traces, ix: ResourceIx) -> Self {
        Self { traces, ix }
    }

    /// Its ordinal.
    pub fn ix(&self) -> ResourceIx {
        self.ix
    }

    /// The `Resource` message.
    pub fn message(&self) -> Message<'a> {
        self.traces.message(self.ix.into())
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message().attributes(1)
    }

    /// The value of an attribute; the first one where the key is repeated.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message().varint(2) as u32
    }

    /// The schema URL of the resource.
    pub fn schema_url(&self) -> &'a [u8] {
        self.traces.resource_spans(self.ix).bytes(3)
    }

    /// Its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeRef<'a>> + use<'a> {
        let traces = self.traces;
        traces.scope_range(self.ix).map(move |ix| ScopeRef { traces, ix: ScopeIx(ix) })
    }
}

// === impl ScopeRef ===

impl<'a> ScopeRef<'a> {
    pub(crate) fn new(traces: &'a Traces, ix: ScopeIx) -> Self {
        Self { traces, ix }
    }

    /// Its ordinal.
    pub fn ix(&self) -> ScopeIx {
        self.ix
    }

    /// The `InstrumentationScope` message.
    pub fn message(&self) -> Message<'a> {
        self.traces.message(self.ix.into())
    }

    /// Its name, as found.
    pub fn name(&self) -> &'a [u8] {
        self.message().bytes(1)
    }

    /// Its version, as found.
    pub fn version(&self) -> &'a [u8] {
        self.message().bytes(2)
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message().attributes(3)
    }

    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message().varint(4) as u32
    }

    /// The schema URL of its spans.
    pub fn schema_url(&self) -> &'a [u8] {
        self.traces.schema_url(self.ix).unwrap_or_else(|| self.traces.scope_spans(self.ix).bytes(3))
    }

    /// The resource it belongs to.
    pub fn resource(&self) -> ResourceRef<'a> {
        ResourceRef::new(self.traces, self.traces.resource_of(self.ix))
    }

    /// Its spans, without the dropped ones.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef<'a>> + use<'a> {
        let traces = self.traces;
        traces.span_range(self.ix).filter_map(move |ix| traces.span(SpanIx(ix)))
    }
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
    pub fn merge(&mut self, body: &'a [u8]) {
        for field in Message::standalone(body).fields() {
            match (field.number, field.payload) {
                (2, Payload::Bytes(message)) => self.message = message,
                (3, Payload::Varint(code)) => self.code = code as i32,
                _ => {}
            }
        }
    }
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
