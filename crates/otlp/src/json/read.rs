//! JSON to protobuf in one pass over the text; no tree is built.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar::{Scalar, put_tag};
use super::schema::{Field, Kind, Label, Message};
use super::text::put_lossy;
use crate::wire::{put_varint, varint_len};

/// The fields of a message.
struct Body<'a> {
    message: &'static Message,
    out: &'a mut Vec<u8>,
    /// How much deeper values may nest.
    depth: u32,
}

/// The name of a field, looked up.
struct Name(&'static Message);

/// The value of a field, tag included.
struct Contents<'a> {
    field: &'static Field,
    out: &'a mut Vec<u8>,
    depth: u32,
}

/// The elements of a repeated field.
struct Elements<'a>(Contents<'a>);

/// A string as JSON has it: perhaps with unpaired surrogates, perhaps null.
struct Text<'a> {
    field: &'static Field,
    out: &'a mut Vec<u8>,
}

pub(super) fn request(message: &'static Message, text: &[u8], max_depth: u32) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    // The depth is bounded here: values by `max_depth`, the messages around them by the protocol.
    deserializer.disable_recursion_limit();
    Body { message, out: &mut out, depth: max_depth }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(out)
}

// === impl Body ===

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = match (self.message.nests, self.depth.checked_sub(1)) {
            (false, _) => self.depth,
            (true, Some(depth)) => depth,
            (true, None) => return Err(A::Error::custom("values are nested too deeply")),
        };
        while let Some(found) = map.next_key_seed(Name(self.message))? {
            match found {
                Some(field) => map.next_value_seed(Contents { field, out: &mut *self.out, depth })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

// === impl Name ===

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes, so that an unknown name with an unpaired surrogate is no error.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.fields.iter().find(|field| field.is_named(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        self.visit_bytes(name.as_bytes())
    }
}

// === impl Contents ===

impl Contents<'_> {
    /// One value: the whole of a plain field, or an element of a repeated one that is not packed.
    fn one<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.field.kind {
            Kind::Message(message) => {
                put_tag(self.out, self.field);
                let start = self.out.len();
                Body { message, out: &mut *self.out, depth: self.depth }.deserialize(deserializer)?;
                put_length_before(self.out, start);
                Ok(())
            }
            Kind::String => deserializer.deserialize_option(Text { field: self.field, out: self.out }),
            _ => Scalar { field: self.field, out: self.out, tagged: true }.deserialize(deserializer),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Contents<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.field.label {
            Label::Repeated => deserializer.deserialize_any(Elements(self)),
            _ => deserializer.deserialize_option(self),
        }
    }
}

impl<'de> Visitor<'de> for Contents<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.one(deserializer)
    }
}

// === impl Elements ===

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Contents { field, out, depth } = self.0;
        if !field.kind.is_packed() {
            while elements.next_element_seed(Element(Contents { field, out: &mut *out, depth }))?.is_some() {}
            return Ok(());
        }
        let before = out.len();
        put_varint(out, u64::from(field.number << 3 | 2));
        let start = out.len();
        while elements.next_element_seed(Scalar { field, out: &mut *out, tagged: false })?.is_some() {}
        if out.len() == start {
            out.truncate(before);
        } else {
            put_length_before(out, start);
        }
        Ok(())
    }
}

/// An element of a repeated field; null stands for an empty one.
struct Element<'a>(Contents<'a>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.one(deserializer)
    }
}

// === impl Text ===

impl Text<'_> {
    fn put(self, text: &[u8]) {
        if text.is_empty() && self.field.label == Label::Plain {
            return;
        }
        put_tag(self.out, self.field);
        let start = self.out.len();
        put_lossy(self.out, text);
        put_length_before(self.out, start);
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string for {}", self.field.name)
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.put(b"");
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_bytes(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(text.as_bytes());
        Ok(())
    }

    fn visit_bytes<E>(self, text: &[u8]) -> Result<(), E> {
        self.put(text);
        Ok(())
    }
}

/// Puts the length of what was written since `start` in front of it.
fn put_length_before(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    let len = (end - start) as u64;
    let shift = varint_len(len);
    out.resize(end + shift, 0);
    out.copy_within(start..end, start + shift);
    let mut rest = len;
    for byte in out.iter_mut().skip(start).take(shift) {
        *byte = rest as u8 & 0x7f | if rest >= 0x80 { 0x80 } else { 0 };
        rest >>= 7;
    }
}
