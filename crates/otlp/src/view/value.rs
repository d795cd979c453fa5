//! Attribute values.

use super::attribute::key_value;
use super::message::Message;
use crate::wire::{Payload, RawField, field};

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

// === impl ValueRef ===

impl<'a> ValueRef<'a> {
    /// Views an encoded `AnyValue`.
    #[inline]
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
        // What SDKs write for short values; the general way reads every encoding.
        match self.0 {
            [0x0a, len @ 0..=0x7f, text @ ..] if text.len() == usize::from(*len) => AnyValue::Text(text),
            [0x18, value @ 0..=0x7f] => AnyValue::Int(i64::from(*value)),
            [0x18, low @ 0x80..=0xff, high @ 0..=0x7f] => AnyValue::Int(i64::from(low & 0x7f) | i64::from(*high) << 7),
            [0x10, flag @ 0..=0x7f] => AnyValue::Bool(*flag != 0),
            [0x2a, len @ 0..=0x7f, elements @ ..] if elements.len() == usize::from(*len) => AnyValue::Array(elements),
            _ => self.get_any(),
        }
    }

    #[inline(never)]
    fn get_any(self) -> AnyValue<'a> {
        if let [0x21, bits @ ..] = self.0
            && let Ok(bits) = bits.try_into()
        {
            return AnyValue::Double(f64::from_le_bytes(bits));
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
