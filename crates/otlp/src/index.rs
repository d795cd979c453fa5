//! Where the resources, scopes and spans of a request lie, found in one scan that also checks all framing.

use std::ops::Range;

use crate::error::{Malformed, Reason};
use crate::limits::Limits;
use crate::wire::{Payload, RawField, field, plain_field, short_bytes};

/// A range of the request; offsets fit in 31 bits because [`Limits::max_bytes`] does.
pub(crate) type Span32 = (u32, u32);

/// One repeated field: `field` is where its tag begins, `body..end` its contents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) field: u32,
    pub(crate) body: u32,
    pub(crate) end: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanEntry {
    pub(crate) at: Entry,
    pub(crate) scope: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct ScopeEntry {
    pub(crate) at: Entry,
    pub(crate) resource: u32,
    pub(crate) spans: Range<u32>,
    /// Bodies of the `scope` field in [`Index::parts`]; protobuf merges them when there are several.
    pub(crate) header: Range<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct ResourceEntry {
    pub(crate) at: Entry,
    pub(crate) scopes: Range<u32>,
    /// Bodies of the `resource` field in [`Index::parts`].
    pub(crate) header: Range<u32>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub(crate) resources: Vec<ResourceEntry>,
    pub(crate) scopes: Vec<ScopeEntry>,
    pub(crate) spans: Vec<SpanEntry>,
    pub(crate) parts: Vec<Span32>,
}

/// `CHECK` says whether spans and headers are looked into; otherwise only the three upper levels are read.
struct Scan<'a, const CHECK: bool> {
    buf: &'a [u8],
    limits: &'a Limits,
    index: Index,
}

// === impl Index ===

impl Index {
    pub(crate) fn scan(buf: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        if buf.len() > limits.max_bytes.min(0x7fff_ffff) {
            return Err(Malformed::new(limits.max_bytes, Reason::TooLarge));
        }
        let mut scan = Scan::<true> { buf, limits, index: Self::default() };
        scan.request()?;
        Ok(scan.index)
    }

    /// Indexes bytes made of parts that were checked before: spans and headers are not looked into.
    pub(crate) fn outline(buf: &[u8]) -> Result<Self, Malformed> {
        let limits = Limits::default();
        if buf.len() > limits.max_bytes {
            return Err(Malformed::new(limits.max_bytes, Reason::TooLarge));
        }
        let mut scan = Scan::<false> { buf, limits: &limits, index: Self::default() };
        scan.request()?;
        Ok(scan.index)
    }
}

/// Checks a message that was never scanned: its framing, and its attributes, which have that field number.
pub(crate) fn check_attributes(message: &[u8], attributes: u32) -> Result<(), Malformed> {
    let limits = Limits::default();
    let scan = Scan::<true> { buf: message, limits: &limits, index: Index::default() };
    let whole = Entry { field: 0, body: 0, end: message.len() as u32 };
    scan.attributes_message(whole, &Shape { attributes, fields: &[] })
}

// === impl Scan ===

impl<'a, const CHECK: bool> Scan<'a, CHECK> {
    /// The field at `pos` of a message that ends at `end`.
    #[inline(always)]
    fn field(&self, pos: usize, end: usize) -> Result<RawField<'a>, Malformed> {
        let message = self.buf.get(..end).ok_or_else(|| Malformed::new(pos, Reason::Truncated))?;
        field(message, pos)
    }

    fn request(&mut self) -> Result<(), Malformed> {
        let (mut pos, end) = (0, self.buf.len());
        while pos < end {
            let field = self.field(pos, end)?;
            if field.number == 1 {
                let at = entry(pos, &field)?;
                self.resource_spans(at)?;
            }
            pos = field.end;
        }
        Ok(())
    }

    fn resource_spans(&mut self, at: Entry) -> Result<(), Malformed> {
        let ordinal = self.index.resources.len() as u32;
        let first_scope = self.index.scopes.len() as u32;
        // Bodies of the `resource` field are noted last, so that those of its scopes do not come between them.
        let mut bodies: Option<Span32> = None;
        let mut more: Vec<Span32> = Vec::new();
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            match field.number {
                1 => {
                    let resource = entry(pos, &field)?;
                    if CHECK {
                        self.attributes_message(resource, &RESOURCE)?;
                    }
                    match bodies {
                        None => bodies = Some((resource.body, resource.end)),
                        Some(_) => more.push((resource.body, resource.end)),
                    }
                }
                2 => {
                    let scope = entry(pos, &field)?;
                    self.scope_spans(scope, ordinal)?;
                }
                3 => expect_bytes(pos, &field)?,
                _ => {}
            }
            pos = field.end;
        }
        let first_part = self.index.parts.len() as u32;
        self.index.parts.extend(bodies);
        self.index.parts.extend(more);
        self.index.resources.push(ResourceEntry {
            at,
            scopes: first_scope..self.index.scopes.len() as u32,
            header: first_part..self.index.parts.len() as u32,
        });
        Ok(())
    }

    fn scope_spans(&mut self, at: Entry, resource: u32) -> Result<(), Malformed> {
        let ordinal = self.index.scopes.len() as u32;
        let first_span = self.index.spans.len() as u32;
        let first_part = self.index.parts.len() as u32;
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            match field.number {
                1 => {
                    let scope = entry(pos, &field)?;
                    if CHECK {
                        self.attributes_message(scope, &SCOPE)?;
                    }
                    self.index.parts.push((scope.body, scope.end));
                }
                2 => {
                    let span = entry(pos, &field)?;
                    if CHECK {
                        self.span(span)?;
                    }
                    if self.index.spans.len() >= self.limits.max_spans {
                        return Err(Malformed::new(pos, Reason::TooManySpans));
                    }
                    self.index.spans.push(SpanEntry { at: span, scope: ordinal });
                }
                3 => expect_bytes(pos, &field)?,
                _ => {}
            }
            pos = field.end;
        }
        self.index.scopes.push(ScopeEntry {
            at,
            resource,
            spans: first_span..self.index.spans.len() as u32,
            header: first_part..self.index.parts.len() as u32,
        });
        Ok(())
    }

    fn span(&self, at: Entry) -> Result<(), Malformed> {
        let (start, end) = (at.body as usize, at.end as usize);
        let mut rest = self.buf.get(start..end).unwrap_or(&[]);
        while !rest.is_empty() {
            if let Some((pair, after)) = short_bytes(rest, 9)
                && is_plain_pair(pair)
            {
                rest = after;
                continue;
            }
            // As nearly all fields are written; what is not, and whatever is wrong, is looked at more closely.
            rest = match plain_field(rest) {
                Some((9, Payload::Bytes(pair), after)) if is_plain_pair(pair) => after,
                Some((1, Payload::Bytes(id), after)) if id.len() == 16 => after,
                Some((2 | 4, Payload::Bytes(id), after)) if id.len() == 8 => after,
                Some((3 | 5, Payload::Bytes(_), after)) => after,
                Some((7 | 8, Payload::Fixed64(_), after)) => after,
                Some((6 | 10 | 12 | 14, Payload::Varint(_), after)) => after,
                Some((16, Payload::Fixed32(_), after)) => after,
                // A status without a message.
                Some((15, Payload::Bytes([] | [0x18, 0..0x80]), after)) => after,
                _ => {
                    let next = self.span_field(end - rest.len(), end)?;
                    self.buf.get(next..end).unwrap_or(&[])
                }
            };
        }
        Ok(())
    }

    /// Checks one field of a span, of any encoding; gives where the next one begins.
    #[inline(never)]
    fn span_field(&self, pos: usize, end: usize) -> Result<usize, Malformed> {
        let field = self.field(pos, end)?;
        match (field.number, field.payload) {
            (9, Payload::Bytes(_)) => self.key_value(entry(pos, &field)?, self.limits.max_depth)?,
            (1, Payload::Bytes(id)) => expect_id(pos, id, 16)?,
            (2 | 4, Payload::Bytes(id)) => expect_id(pos, id, 8)?,
            (11, Payload::Bytes(_)) => self.attributes_message(entry(pos, &field)?, &EVENT)?,
            (13, Payload::Bytes(_)) => self.attributes_message(entry(pos, &field)?, &LINK)?,
            (15, Payload::Bytes(_)) => self.attributes_message(entry(pos, &field)?, &STATUS)?,
            (3 | 5, Payload::Bytes(_)) | (7 | 8, Payload::Fixed64(_)) => {}
            (6 | 10 | 12 | 14, Payload::Varint(_)) | (16, Payload::Fixed32(_)) | (17.., _) => {}
            (1..=16, _) => return Err(Malformed::new(pos, Reason::WrongWireType)),
            (0, _) => return Err(Malformed::new(pos, Reason::FieldNumber)),
        }
        Ok(field.end)
    }

    /// A message of scalar fields and attributes, as `shape` describes it.
    fn attributes_message(&self, at: Entry, shape: &Shape) -> Result<(), Malformed> {
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            if field.number == shape.attributes {
                self.key_value(entry(pos, &field)?, self.limits.max_depth)?;
            } else if let Some(&(_, kind)) = shape.fields.iter().find(|(number, _)| *number == field.number) {
                match (kind, field.payload) {
                    (Kind::Id(len), Payload::Bytes(id)) => expect_id(pos, id, len)?,
                    (Kind::Bytes, Payload::Bytes(_))
                    | (Kind::Varint, Payload::Varint(_))
                    | (Kind::Fixed64, Payload::Fixed64(_))
                    | (Kind::Fixed32, Payload::Fixed32(_)) => {}
                    _ => return Err(Malformed::new(pos, Reason::WrongWireType)),
                }
            }
            pos = field.end;
        }
        Ok(())
    }

    fn key_value(&self, at: Entry, depth: u32) -> Result<(), Malformed> {
        if self.buf.get(at.body as usize..at.end as usize).is_some_and(is_plain_pair) {
            return Ok(());
        }
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            match field.number {
                1 => expect_bytes(pos, &field)?,
                2 => self.any_value(entry(pos, &field)?, depth)?,
                _ => {}
            }
            pos = field.end;
        }
        Ok(())
    }

    fn any_value(&self, at: Entry, depth: u32) -> Result<(), Malformed> {
        if self.buf.get(at.body as usize..at.end as usize).is_some_and(is_plain_value) {
            return Ok(());
        }
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            match (field.number, field.payload) {
                (1 | 7, Payload::Bytes(_)) | (2 | 3, Payload::Varint(_)) | (4, Payload::Fixed64(_)) | (8.., _) => {}
                (5 | 6, Payload::Bytes(_)) => {
                    let Some(depth) = depth.checked_sub(1) else {
                        return Err(Malformed::new(pos, Reason::TooDeep));
                    };
                    self.values(entry(pos, &field)?, field.number == 6, depth)?;
                }
                _ => return Err(Malformed::new(pos, Reason::WrongWireType)),
            }
            pos = field.end;
        }
        Ok(())
    }

    /// The elements of an `ArrayValue`, or the entries of a `KeyValueList`.
    fn values(&self, at: Entry, keyed: bool, depth: u32) -> Result<(), Malformed> {
        let (mut pos, end) = (at.body as usize, at.end as usize);
        while pos < end {
            let field = self.field(pos, end)?;
            if field.number == 1 {
                let element = entry(pos, &field)?;
                if keyed { self.key_value(element, depth)? } else { self.any_value(element, depth)? }
            }
            pos = field.end;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Varint,
    Fixed64,
    Fixed32,
    Id(usize),
}

/// The known fields of a message that is nothing but scalars and attributes.
struct Shape {
    attributes: u32,
    fields: &'static [(u32, Kind)],
}

const RESOURCE: Shape = Shape { attributes: 1, fields: &[(2, Kind::Varint), (3, Kind::Bytes)] };
const SCOPE: Shape = Shape { attributes: 3, fields: &[(1, Kind::Bytes), (2, Kind::Bytes), (4, Kind::Varint)] };
const EVENT: Shape = Shape { attributes: 3, fields: &[(1, Kind::Fixed64), (2, Kind::Bytes), (4, Kind::Varint)] };
const LINK: Shape = Shape {
    attributes: 4,
    fields: &[(1, Kind::Id(16)), (2, Kind::Id(8)), (3, Kind::Bytes), (5, Kind::Varint), (6, Kind::Fixed32)],
};
/// A status has no attributes; no field has number 0.
const STATUS: Shape = Shape { attributes: 0, fields: &[(2, Kind::Bytes), (3, Kind::Varint)] };

/// Whether this is a `KeyValue` in the form that every sender uses: a short key and a plain value. Nearly all are, and need
/// no closer look.
#[inline]
fn is_plain_pair(body: &[u8]) -> bool {
    let [0x0a, key_len @ 0..0x80, rest @ ..] = body else { return false };
    match rest.get(usize::from(*key_len)..) {
        Some([0x12, value_len @ 0..0x80, value @ ..]) => {
            value.len() == usize::from(*value_len) && is_plain_value(value)
        }
        // Two bytes of length: up to 16 KiB of text.
        Some([0x12, low @ 0x80..=0xff, high @ 0..0x80, value @ ..]) => {
            value.len() == two_bytes(*low, *high) && is_plain_value(value)
        }
        _ => false,
    }
}

/// Whether this is an `AnyValue` with nothing in it but a scalar, or a list of one short text.
#[inline]
fn is_plain_value(body: &[u8]) -> bool {
    match body {
        [0x0a, len @ 0..0x80, text @ ..] => text.len() == usize::from(*len),
        [0x0a, low @ 0x80..=0xff, high @ 0..0x80, text @ ..] => text.len() == two_bytes(*low, *high),
        [0x18, rest @ .., last] => *last < 0x80 && rest.len() < 10 && rest.iter().all(|byte| *byte >= 0x80),
        [0x10, 0..0x80] => true,
        [0x21, rest @ ..] => rest.len() == 8,
        // A list of one short text.
        [0x2a, list @ 0..0x80, 0x0a, item @ 0..0x80, 0x0a, len @ 0..0x80, text @ ..] => {
            text.len() == usize::from(*len) && *item == len + 2 && *list == item + 2
        }
        _ => false,
    }
}

fn two_bytes(low: u8, high: u8) -> usize {
    usize::from(low & 0x7f) | usize::from(high) << 7
}

fn entry(pos: usize, field: &RawField<'_>) -> Result<Entry, Malformed> {
    match field.payload {
        Payload::Bytes(body) => {
            Ok(Entry { field: pos as u32, body: (field.end - body.len()) as u32, end: field.end as u32 })
        }
        _ => Err(Malformed::new(pos, Reason::WrongWireType)),
    }
}

fn expect_bytes(pos: usize, field: &RawField<'_>) -> Result<(), Malformed> {
    entry(pos, field).map(drop)
}

fn expect_id(pos: usize, id: &[u8], len: usize) -> Result<(), Malformed> {
    if id.is_empty() || id.len() == len { Ok(()) } else { Err(Malformed::new(pos, Reason::IdLength)) }
}
