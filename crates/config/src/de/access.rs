//! The deserialiser's ways into lists, maps and enums; each adds its step to the path of an error.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::DeError;
use super::node::{NodeDeserializer, Nulls, SECRET};
use crate::node::{Entry, Step};
use crate::{Map, Node};

/// The items of a list.
pub(super) struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

/// The parts of a text with commas, as a list of strings.
pub(super) struct Parts<'de> {
    text: &'de str,
    parts: std::str::Split<'de, char>,
}

/// The entries of a map.
pub(super) struct Keys<'de> {
    entries: Option<indexmap::map::Iter<'de, String, Entry>>,
    current: Option<(&'de str, &'de Entry)>,
    nulls: Nulls,
    hidden: Option<&'static str>,
}

/// `name: content` as a variant of an enum.
pub(super) struct Variant<'de> {
    name: &'de str,
    entry: &'de Entry,
}

/// One part of a text with commas: a string, and nothing else.
struct Part<'de> {
    text: &'de str,
}

// === impl Items ===

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Node]) -> Self {
        Self { items: items.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let item = NodeDeserializer::new(node, Nulls::AreZero);
        seed.deserialize(item).map(Some).map_err(|error| error.at(node.place()).within(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

// === impl Parts ===

impl<'de> Parts<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, parts: text.split(',') }
    }
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let Some(text) = self.parts.next() else { return Ok(None) };
        let item = seed.deserialize(Part { text })?;
        // An empty text is an empty list, of what texts can be.
        Ok(Some(item).filter(|_| !self.text.is_empty()))
    }
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = DeError;

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, DeError> {
        if name == SECRET { visitor.visit_borrowed_str(self.text) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, DeError> {
        // It may be a secret.
        Err(DeError::new("expected a list, found a string"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

// === impl Keys ===

impl<'de> Keys<'de> {
    pub(super) fn new(map: &'de Map, nulls: Nulls, hidden: Option<&'static str>) -> Self {
        Self { entries: Some(map.iter()), current: None, nulls, hidden }
    }

    pub(super) fn empty() -> Self {
        Self { entries: None, current: None, nulls: Nulls::AreZero, hidden: None }
    }
}

impl<'de> MapAccess<'de> for Keys<'de> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let hidden = self.hidden;
        let next = self.entries.as_mut().and_then(|entries| entries.find(|(key, _)| Some(key.as_str()) != hidden));
        let Some((key, entry)) = next else { return Ok(None) };
        self.current = Some((key, entry));
        let text: StrDeserializer<'de, DeError> = key.as_str().into_deserializer();
        seed.deserialize(text).map(Some).map_err(|error| error.at(entry.key_place()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let Some((key, entry)) = self.current.take() else {
            return Err(DeError::new("a value was asked for before its key"));
        };
        seed.deserialize(NodeDeserializer::new(&entry.node, self.nulls))
            .map_err(|error| error.at(entry.key_place()).within(Step::Key(key.to_owned())))
    }
}

// === impl Variant ===

impl<'de> Variant<'de> {
    pub(super) fn new(name: &'de str, entry: &'de Entry) -> Self {
        Self { name, entry }
    }

    fn inner(&self) -> NodeDeserializer<'de> {
        NodeDeserializer::new(&self.entry.node, Nulls::AreZero)
    }

    fn located<T>(&self, result: Result<T, DeError>) -> Result<T, DeError> {
        result.map_err(|error| error.at(self.entry.key_place()).within(Step::Key(self.name.to_owned())))
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DeError> {
        let name: StrDeserializer<'de, DeError> = self.name.into_deserializer();
        let value = seed.deserialize(name).map_err(|error| error.at(self.entry.key_place()))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        self.located(serde::Deserialize::deserialize(self.inner()))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DeError> {
        self.located(seed.deserialize(self.inner()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DeError> {
        self.located(self.inner().deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, DeError> {
        self.located(self.inner().deserialize_struct("", fields, visitor))
    }
}
