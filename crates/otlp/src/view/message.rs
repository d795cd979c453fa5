//! Messages and their fields, whether received or edited.

use std::ops::ControlFlow;

use super::attribute::Attributes;
use crate::edit::{ARENA, Segment};
use crate::index::Span32;
use crate::wire::{Payload, RawField, field, plain_field, short_bytes};

/// Where a top-level field of a message lies, tag included. It stays good for a [`Patch`](crate::Patch) to the same
/// message until that field is cut. A [`Patch`](crate::Patch) is made fastest in ascending order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Takes the fields of a message, one after the other: see [`Message::visit`].
pub trait Visitor<'a> {
    /// An attribute: the encoded `KeyValue`, and where it lies. To break ends the visit.
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()>;

    /// Any other field.
    fn field(&mut self, number: u32, payload: Payload<'a>, pos: Pos);
}

/// The fields of a [`Message`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    message: Message<'a>,
    /// What was not read yet of the piece being read, which ends at offset `end`.
    rest: &'a [u8],
    end: u32,
    next_piece: usize,
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

    /// Its fields, in order.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        match self.pieces {
            // Nothing but an unedited span of a received request: there is no other piece to look for.
            Pieces::One(start, end) => {
                let rest = self.base.get(start as usize..end as usize).unwrap_or(&[]);
                Fields { message: *self, rest, end, next_piece: 1 }
            }
            _ => Fields { message: *self, rest: &[], end: 0, next_piece: 0 },
        }
    }

    /// Hands all its fields to a visitor, given the number of attributes. The fastest way to read a message: what is handed over
    /// never exists as a [`Field`].
    #[inline(always)]
    pub fn visit(&self, attributes: u32, visitor: &mut impl Visitor<'a>) {
        let mut next = 0;
        while let Some((piece, start)) = self.piece(next) {
            next += 1;
            let end = start + piece.len() as u32;
            let mut rest = piece;
            while !rest.is_empty() {
                // Most fields are attributes, and most of those are short.
                if let Some((body, after)) = short_bytes(rest, attributes) {
                    let pos = Pos { start: end - rest.len() as u32, end: end - after.len() as u32 };
                    rest = after;
                    if visitor.attribute(body, pos).is_break() {
                        return;
                    }
                    continue;
                }
                let Some((number, payload, after)) = plain_field(rest).or_else(|| any_field(rest)) else { return };
                let pos = Pos { start: end - rest.len() as u32, end: end - after.len() as u32 };
                rest = after;
                match payload {
                    Payload::Bytes(body) if number == attributes => {
                        if visitor.attribute(body, pos).is_break() {
                            return;
                        }
                    }
                    payload => visitor.field(number, payload, pos),
                }
            }
        }
    }

    /// Its attributes, given the number of that field.
    pub fn attributes(&self, number: u32) -> Attributes<'a> {
        Attributes { fields: self.fields(), number }
    }

    /// The last occurrence of a field, which is the one that counts for scalars.
    pub fn last(&self, number: u32) -> Option<Payload<'a>> {
        self.fields().filter(|field| field.number == number).last().map(|field| field.payload)
    }

    /// The encoded message, where it is in one piece.
    pub fn whole(&self) -> Option<&'a [u8]> {
        match self.pieces {
            Pieces::One(..) => self.piece(0).map(|(bytes, _)| bytes),
            _ => None,
        }
    }

    /// The encoded message. Pieces of an edited one are put together.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// How many bytes it has, encoded.
    pub(crate) fn len(&self) -> usize {
        (0..).map_while(|at| self.piece(at)).map(|(bytes, _)| bytes.len()).sum()
    }

    /// Appends the encoded message.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for (bytes, _) in (0..).map_while(|at| self.piece(at)) {
            out.extend_from_slice(bytes);
        }
    }

    pub(super) fn bytes(&self, number: u32) -> &'a [u8] {
        match self.last(number) {
            Some(Payload::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    pub(super) fn varint(&self, number: u32) -> u64 {
        match self.last(number) {
            Some(Payload::Varint(value)) => value,
            _ => 0,
        }
    }

    pub(super) fn fixed64(&self, number: u32) -> u64 {
        match self.last(number) {
            Some(Payload::Fixed64(value)) => value,
            _ => 0,
        }
    }

    pub(super) fn fixed32(&self, number: u32) -> u32 {
        match self.last(number) {
            Some(Payload::Fixed32(value)) => value,
            _ => 0,
        }
    }

    /// The bytes of a piece and the offset of their first one.
    pub(super) fn piece(&self, at: usize) -> Option<(&'a [u8], u32)> {
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

/// The field at the beginning of `rest`, of any encoding, and what follows it.
#[cold]
fn any_field(rest: &[u8]) -> Option<(u32, Payload<'_>, &[u8])> {
    // The scan has checked all framing, so this ends early only for a message that was never scanned.
    let RawField { number, payload, end } = field(rest, 0).ok()?;
    Some((number, payload, rest.get(end..)?))
}

// === impl Fields ===

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        if let Some((number, payload, rest)) = plain_field(self.rest) {
            let pos = Pos { start: self.end - self.rest.len() as u32, end: self.end - rest.len() as u32 };
            self.rest = rest;
            return Some(Field { number, payload, pos });
        }
        if self.rest.is_empty() && self.is_last_piece() {
            return None;
        }
        self.next_of_any_kind()
    }
}

impl<'a> Fields<'a> {
    /// The next field, of any encoding, and of the next piece where this one is at its end.
    #[cold]
    fn next_of_any_kind(&mut self) -> Option<Field<'a>> {
        while self.rest.is_empty() {
            let (rest, start) = self.message.piece(self.next_piece)?;
            (self.rest, self.end) = (rest, start + rest.len() as u32);
            self.next_piece += 1;
        }
        let (number, payload, rest) = any_field(self.rest)?;
        let pos = Pos { start: self.end - self.rest.len() as u32, end: self.end - rest.len() as u32 };
        self.rest = rest;
        Some(Field { number, payload, pos })
    }

    #[inline]
    fn is_last_piece(&self) -> bool {
        self.next_piece > 0 && matches!(self.message.pieces, Pieces::One(..))
    }
}
