//! Attributes: keys, values, and where they lie.

use super::message::{Fields, Pos};
use super::value::ValueRef;
use crate::wire::{Payload, RawField, field};

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
    pub(super) fields: Fields<'a>,
    pub(super) number: u32,
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
    #[inline(always)]
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
#[inline(always)]
fn plain_key_value(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key_len @ 0..=0x7f, rest @ ..] = body else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*key_len))?;
    let [0x12, value_len @ 1..=0x7f, value @ ..] = rest else { return None };
    (value.len() == usize::from(*value_len)).then_some((key, value))
}

#[inline(always)]
pub(super) fn key_value(body: &[u8]) -> (&[u8], ValueRef<'_>) {
    match plain_key_value(body) {
        Some((key, value)) => (key, ValueRef::new(value)),
        None => any_key_value(body),
    }
}

#[cold]
fn any_key_value(body: &[u8]) -> (&[u8], ValueRef<'_>) {
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
    (key, ValueRef::new(value))
}
