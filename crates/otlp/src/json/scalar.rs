//! Numbers, flags, ids, bytes and enumerations: what is written without a length of its own, or from a text that means something else.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

use super::schema::{Field, Kind, Label};
use super::text::get_hex;
use crate::float::parse_float;
use crate::wire::put_varint;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One value of a type that is written without a length.
pub(super) struct Scalar<'a> {
    pub(super) field: &'static Field,
    pub(super) out: &'a mut Vec<u8>,
    /// Whether there is a tag, and a default is left out: not so inside a packed field.
    pub(super) tagged: bool,
}

// === impl Scalar ===

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Scalar<'_> {
    fn begin(&mut self, is_default: bool) -> bool {
        if self.tagged {
            if is_default && self.field.label == Label::Plain {
                return false;
            }
            put_tag(self.out, self.field);
        }
        true
    }

    fn varint(mut self, value: u64) {
        if self.begin(value == 0) {
            put_varint(self.out, value);
        }
    }

    fn fixed64(mut self, value: u64) {
        if self.begin(value == 0) {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn int32(self, value: i32) {
        match self.field.kind {
            Kind::Sint32 => self.varint(u64::from(((value << 1) ^ (value >> 31)) as u32)),
            _ => self.varint(i64::from(value) as u64),
        }
    }

    fn uint32(mut self, value: u32) {
        if !matches!(self.field.kind, Kind::Fixed32) {
            self.varint(u64::from(value));
        } else if self.begin(value == 0) {
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A whole number that was read as `T`, which covers what the field's type covers.
    fn integer<T, E: Error>(self, value: T) -> Result<(), E>
    where
        T: Copy + fmt::Display,
        i32: TryFrom<T>,
        u32: TryFrom<T>,
        i64: TryFrom<T>,
        u64: TryFrom<T>,
    {
        let name = self.field.name;
        let done = match self.field.kind {
            Kind::Int32 | Kind::Sint32 | Kind::Enum(_) => i32::try_from(value).map(|value| self.int32(value)).ok(),
            Kind::Uint32 | Kind::Fixed32 => u32::try_from(value).map(|value| self.uint32(value)).ok(),
            Kind::Int64 => i64::try_from(value).map(|value| self.varint(value as u64)).ok(),
            Kind::Sfixed64 => i64::try_from(value).map(|value| self.fixed64(value as u64)).ok(),
            Kind::Uint64 => u64::try_from(value).map(|value| self.varint(value)).ok(),
            Kind::Fixed64 => u64::try_from(value).map(|value| self.fixed64(value)).ok(),
            _ => return Err(E::custom(format_args!("{name} cannot be a number"))),
        };
        done.ok_or_else(|| E::custom(format_args!("{value} is out of range for {name}")))
    }

    fn parsed<T: FromStr, E: Error>(&self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::custom(format_args!("{text:?} is no number that {} can hold", self.field.name)))
    }

    fn double<E>(self, value: f64) -> Result<(), E> {
        self.fixed64(value.to_bits());
        Ok(())
    }

    fn id<E: Error>(mut self, text: &str, len: usize) -> Result<(), E> {
        if text.is_empty() {
            return Ok(());
        }
        let name = self.field.name;
        if text.len() != 2 * len {
            return Err(E::custom(format_args!("{name} must have {} hexadecimal digits", 2 * len)));
        }
        let start = self.out.len();
        // An id of zeros is no id.
        if !self.begin(text.bytes().all(|digit| digit == b'0')) {
            return Ok(());
        }
        self.out.push(len as u8);
        if get_hex(self.out, text.as_bytes()) {
            return Ok(());
        }
        self.out.truncate(start);
        Err(E::custom(format_args!("{name} must consist of hexadecimal digits")))
    }

    fn bytes<E: Error>(mut self, text: &str) -> Result<(), E> {
        let standard: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            })
            .collect();
        let bytes = BASE64
            .decode(&standard)
            .map_err(|error| E::custom(format_args!("{} is not base64: {error}", self.field.name)))?;
        if self.begin(bytes.is_empty()) {
            put_varint(self.out, bytes.len() as u64);
            self.out.extend_from_slice(&bytes);
        }
        Ok(())
    }
}

impl Visitor<'_> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.field.kind {
            Kind::Bool => "true or false",
            Kind::Id(_) => "hexadecimal digits in a string",
            Kind::Bytes => "base64 in a string",
            Kind::Enum(_) => "a number or a name",
            _ => "a number, or one in a string,",
        };
        write!(f, "{what} for {}", self.field.name)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => {
                self.varint(u64::from(value));
                Ok(())
            }
            _ => Err(E::invalid_type(Unexpected::Bool(value), &self)),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.double(value as f64),
            _ => self.integer(value),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.double(value as f64),
            _ => self.integer(value),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.double(value),
            // JSON's `-0`.
            Kind::Bool | Kind::Id(_) | Kind::Bytes => Err(E::invalid_type(Unexpected::Float(value), &self)),
            _ if value.to_bits() == (-0.0f64).to_bits() => self.integer(0i64),
            _ => Err(E::custom(format_args!("{value} is not a whole number that {} can hold", self.field.name))),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.field.kind {
            Kind::Id(len) => self.id(text, len),
            Kind::Bytes => self.bytes(text),
            Kind::Double => {
                let wrong = || E::custom(format_args!("{text:?} is no number that {} can hold", self.field.name));
                self.double(parse_float(text).ok_or_else(wrong)?)
            }
            Kind::Enum(names) => match names.iter().position(|name| *name == text) {
                Some(number) => self.integer(number as u64),
                None => Err(E::custom(format_args!("{text:?} is no value of {}", self.field.name))),
            },
            Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => {
                let value: u64 = self.parsed(text)?;
                self.integer(value)
            }
            Kind::Int32 | Kind::Sint32 | Kind::Int64 | Kind::Sfixed64 => {
                let value: i64 = self.parsed(text)?;
                self.integer(value)
            }
            Kind::Bool | Kind::String | Kind::Message(_) => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
}

pub(super) fn put_tag(out: &mut Vec<u8>, field: &Field) {
    put_varint(out, u64::from(field.number << 3 | field.kind.wire_type()));
}
