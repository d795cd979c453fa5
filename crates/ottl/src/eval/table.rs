//! One message and its attributes by slot, found in one walk.

use std::ops::ControlFlow;

use spanmill_otlp::{Attribute, Message, Payload, Pos, Slot, ValueRef, Visitor};

use super::fields::SpanFields;
use super::slots::Keys;

/// One message and its attributes by slot.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) values: Vec<Option<ValueRef<'a>>>,
    /// Where the attributes lie that have a value.
    pub(crate) places: Vec<Pos>,
    /// How many keys were not found yet.
    pub(super) missing: usize,
}

/// Takes all of a span.
pub(super) struct Whole<'t, 'a> {
    pub(super) table: &'t mut Table<'a>,
    pub(super) fields: &'t mut SpanFields<'a>,
    pub(super) keys: &'t Keys,
}

/// Takes the attributes that are wanted, until all of them were found.
pub(super) struct Wanted<'t, 'a> {
    pub(super) table: &'t mut Table<'a>,
    pub(super) keys: &'t Keys,
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
    pub(super) fn new() -> Self {
        Self { message: Message::standalone(&[]), values: Vec::new(), places: Vec::new(), missing: 0 }
    }

    #[inline]
    pub(super) fn clear(&mut self, message: Message<'a>, keys: &Keys) {
        self.message = message;
        self.values.clear();
        self.values.resize(keys.table.len(), None);
        // What stands there from before is read only where there is a value.
        self.places.resize(keys.table.len(), Pos::default());
        self.missing = keys.table.len();
    }

    pub(super) fn fill(&mut self, message: Message<'a>, number: u32, keys: &Keys) {
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

    use super::super::level::SPAN_ATTRIBUTES;
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
