use std::ops::Range;

use crate::value::{Value, put_key_value};
use crate::view::{Message, Pos};
use crate::wire::{Payload, put_field, put_varint, varint_len};

/// Which message a [`Patch`] is for; they number their attributes differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A `Resource`.
    Resource,
    /// An `InstrumentationScope`.
    Scope,
    /// A `Span`.
    Span,
    /// A `LogRecord`.
    LogRecord,
    /// A point of a gauge, a sum or a summary.
    NumberPoint,
    /// A point of a histogram.
    HistogramPoint,
    /// A point of an exponential histogram.
    ExponentialPoint,
}

/// Changes to one message: a resource, a scope, a span: fields to cut, replace or append. Made to be reused: [`Patch::clear`] keeps
/// its memory.
///
/// Fields are named by the [`Pos`] that a view gave; a position that is no longer part of the target is ignored.
#[derive(Debug, Clone)]
pub struct Patch {
    part: Part,
    /// In ascending order of where they begin.
    pub(crate) cuts: Vec<Cut>,
    pub(crate) replacements: Vec<u8>,
    pub(crate) appended: Vec<u8>,
}

#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) at: Pos,
    /// What takes its place, as a range of the replacements; empty for a removal.
    pub(crate) with: Range<usize>,
}

/// The changes of a patch, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes<'a> {
    pub(crate) cuts: &'a [Cut],
    pub(crate) replacements: &'a [u8],
    pub(crate) appended: &'a [u8],
}

/// Encodes an attribute of that kind of message, for [`Patch::append_encoded`]: what is written again and again is encoded once.
pub fn encode_attribute(part: Part, key: &str, value: Value<'_>) -> Vec<u8> {
    let mut encoded = Vec::new();
    put_key_value(&mut encoded, part.attribute_tag(), key, &value);
    encoded
}

// === impl Part ===

impl Part {
    /// The field number of the attributes of this message.
    pub const fn attributes(self) -> u32 {
        match self {
            Self::Resource | Self::ExponentialPoint => 1,
            Self::Scope => 3,
            Self::LogRecord => 6,
            Self::NumberPoint => 7,
            Self::Span | Self::HistogramPoint => 9,
        }
    }

    /// The encoded tag byte of the attributes of this message.
    pub(crate) const fn attribute_tag(self) -> u8 {
        (self.attributes() as u8) << 3 | 2
    }
}

// === impl Patch ===

impl Patch {
    /// An empty patch for that kind of message.
    pub fn new(part: Part) -> Self {
        Self { part, cuts: Vec::new(), replacements: Vec::new(), appended: Vec::new() }
    }

    /// Forgets all changes.
    pub fn clear(&mut self) {
        self.cuts.clear();
        self.replacements.clear();
        self.appended.clear();
    }

    /// Whether applying it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty() && self.appended.is_empty()
    }

    /// The message with the changes; none where there are none. Only for a message in one piece, as [`Message::standalone`] makes it.
    pub fn revised(&self, message: Message<'_>) -> Option<Vec<u8>> {
        let whole = message.whole().filter(|_| !self.is_empty())?;
        let mut out = Vec::with_capacity(whole.len() + self.replacements.len() + self.appended.len());
        let mut done = 0;
        for Cut { at, with } in &self.cuts {
            // Of two cuts of a field the first counts.
            if at.start as usize >= done {
                out.extend_from_slice(whole.get(done..at.start as usize)?);
                out.extend_from_slice(self.replacements.get(with.clone())?);
                done = at.end as usize;
            }
        }
        out.extend_from_slice(whole.get(done..)?);
        out.extend_from_slice(&self.appended);
        Some(out)
    }

    pub(crate) fn changes(&self) -> Changes<'_> {
        Changes { cuts: &self.cuts, replacements: &self.replacements, appended: &self.appended }
    }

    fn push(&mut self, cut: Cut) {
        // Nearly always they are made in the order in which a view gave the fields.
        let after = self.cuts.iter().rposition(|known| known.at.start <= cut.at.start);
        self.cuts.insert(after.map_or(0, |at| at + 1), cut);
    }

    /// Removes the field at `at`. Where a field is cut or replaced more than once, the first time counts.
    pub fn cut(&mut self, at: Pos) {
        self.push(Cut { at, with: 0..0 });
    }

    /// Puts an attribute in the place of the field at `at`.
    pub fn replace(&mut self, at: Pos, key: &str, value: Value<'_>) {
        let start = self.replacements.len();
        put_key_value(&mut self.replacements, self.part.attribute_tag(), key, &value);
        self.push(Cut { at, with: start..self.replacements.len() });
    }

    /// Puts an encoded field, tag included, in the place of the field at `at`.
    pub fn replace_field(&mut self, at: Pos, encoded: &[u8]) {
        let start = self.replacements.len();
        self.replacements.extend_from_slice(encoded);
        self.push(Cut { at, with: start..self.replacements.len() });
    }

    /// Appends an attribute. The caller knows that the key is not there yet, or cuts it.
    pub fn append(&mut self, key: &str, value: Value<'_>) {
        put_key_value(&mut self.appended, self.part.attribute_tag(), key, &value);
    }

    /// Appends encoded fields, tags included: attributes that [`encode_attribute`] made earlier.
    #[inline]
    pub fn append_encoded(&mut self, fields: &[u8]) {
        self.appended.extend_from_slice(fields);
    }

    /// Appends an attribute that [`encode_attribute`] made of a double, with another one in its place.
    #[inline]
    pub fn append_double(&mut self, encoded: &[u8], value: f64) {
        // A double comes last, in eight bytes.
        let Some((head, _)) = encoded.split_last_chunk::<8>() else { return };
        self.appended.extend_from_slice(head);
        self.appended.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends an attribute that [`encode_attribute`] made of the integer zero, with another one in its place. The key must be shorter than
    /// a hundred bytes.
    #[inline]
    pub fn append_int(&mut self, encoded: &[u8], value: i64) {
        // Zero is one byte, the last; the lengths of the value and of the whole grow with what is longer.
        let Some((_, head)) = encoded.split_last() else { return };
        let more = varint_len(value as u64) as u8 - 1;
        let start = self.appended.len();
        self.appended.extend_from_slice(head);
        if let Some([_, whole, .., length, _]) = self.appended.get_mut(start..) {
            *whole += more;
            *length += more;
        }
        put_varint(&mut self.appended, value as u64);
    }

    /// Appends a length-delimited field (a string, bytes, or an encoded message).
    pub fn append_bytes(&mut self, number: u32, body: &[u8]) {
        put_field(&mut self.appended, number, Payload::Bytes(body));
    }

    /// Appends a field of wire type 0.
    pub fn append_varint(&mut self, number: u32, value: u64) {
        put_field(&mut self.appended, number, Payload::Varint(value));
    }

    /// Appends a field of wire type 1.
    pub fn append_fixed64(&mut self, number: u32, value: u64) {
        put_field(&mut self.appended, number, Payload::Fixed64(value));
    }

    /// Appends a field of wire type 5.
    pub fn append_fixed32(&mut self, number: u32, value: u32) {
        put_field(&mut self.appended, number, Payload::Fixed32(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: numbers of all sizes are put into attributes that were encoded before.
    /// Guarantees: they come out as if they had been encoded right then.
    #[test]
    fn encoded_before_is_as_encoded_now() {
        for key in ["n", "spanmill.total_tokens", &"k".repeat(99)] {
            let (int, double) = (
                encode_attribute(Part::Span, key, Value::Int(0)),
                encode_attribute(Part::Span, key, Value::Double(0.0)),
            );
            for number in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 31, i64::MAX, -1] {
                let (mut before, mut now) = (Patch::new(Part::Span), Patch::new(Part::Span));
                before.append_int(&int, number);
                before.append_double(&double, number as f64 / 3.0);
                now.append(key, Value::Int(number));
                now.append(key, Value::Double(number as f64 / 3.0));
                assert_eq!(before.appended, now.appended, "{key} {number}");
            }
        }
    }
}
