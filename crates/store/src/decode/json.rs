//! Attributes from JSON: what [`crate::encode`] writes, read back.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value};
use prost::Message;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An object of attributes, and what else stands in one.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) attributes: Vec<KeyValue>,
    pub(super) dropped: u32,
    pub(super) schema_url: String,
}

/// A value as it is in JSON.
struct Parsed(AnyValue);

/// The entries of an object in order, with keys as they are in JSON.
struct Entries(Vec<(String, AnyValue)>);

/// The values of one key, everything else skipped.
struct Values<'k> {
    key: &'k str,
}

struct AnyVisitor;
struct EntriesVisitor;

/// The attributes in a text of the columns `attributes`, `resource` or `scope`.
pub fn attributes(text: &str) -> Result<Vec<KeyValue>, serde_json::Error> {
    Attributes::read(Some(text)).map(|read| read.attributes)
}

/// The values of one attribute in such a text: mostly none or one. A text that is no JSON has none.
pub fn attribute_values(text: &str, key: &str) -> Vec<AnyValue> {
    // A key without anything to escape stands in the text as it is, and mostly does not.
    let plain = key.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain && !text.contains(key) {
        return Vec::new();
    }
    let escaped = if key.starts_with('$') { format!("${key}") } else { key.to_owned() };
    let mut reader = serde_json::Deserializer::from_str(text);
    Deserializer::deserialize_map(&mut reader, Values { key: &escaped }).unwrap_or_default()
}

/// A single value.
pub(super) fn value(text: &str) -> Result<AnyValue, serde_json::Error> {
    serde_json::from_str::<Parsed>(text).map(|parsed| parsed.0)
}

// === impl Attributes ===

impl Attributes {
    pub(super) fn read(text: Option<&str>) -> Result<Self, serde_json::Error> {
        let mut read = Self::default();
        let Some(text) = text else { return Ok(read) };
        for (key, value) in serde_json::from_str::<Entries>(text)?.0 {
            match (key.as_str(), value) {
                ("$dropped_attributes", AnyValue { value: Some(any_value::Value::IntValue(count)) }) => {
                    read.dropped = u32::try_from(count).unwrap_or(u32::MAX);
                }
                ("$schema_url", AnyValue { value: Some(any_value::Value::StringValue(url)) }) => read.schema_url = url,
                (_, value) => read.attributes.push(key_value(unescaped(&key).to_owned(), value)),
            }
        }
        Ok(read)
    }
}

pub(super) fn key_value(key: String, value: AnyValue) -> KeyValue {
    KeyValue { key, value: Some(value), key_strindex: 0 }
}

fn unescaped(key: &str) -> &str {
    if key.starts_with("$$") { key.get(1..).unwrap_or(key) } else { key }
}

fn any(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// What an object with one key stands for, where JSON has no form for it.
fn marked(key: &str, text: &str) -> Option<AnyValue> {
    let bytes = || STANDARD.decode(text).ok();
    match key {
        "$bytes" => Some(any(any_value::Value::BytesValue(bytes()?))),
        // The protocol has no place for a text that is no UTF-8 either.
        "$text" => Some(any(any_value::Value::StringValue(String::from_utf8_lossy(&bytes()?).into_owned()))),
        "$double" => Some(any(any_value::Value::DoubleValue(match text {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => return None,
        }))),
        "$any" => {
            let raw = bytes()?;
            Some(AnyValue::decode(raw.as_slice()).unwrap_or_else(|_| any(any_value::Value::BytesValue(raw))))
        }
        _ => None,
    }
}

fn object(entries: Vec<(String, AnyValue)>) -> AnyValue {
    if let [(key, AnyValue { value: Some(any_value::Value::StringValue(text)) })] = entries.as_slice()
        && let Some(value) = marked(key, text)
    {
        return value;
    }
    let values = entries.into_iter().map(|(key, value)| key_value(unescaped(&key).to_owned(), value)).collect();
    any(any_value::Value::KvlistValue(KeyValueList { values }))
}

// === impl Parsed ===

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<AnyValue, E> {
        Ok(AnyValue { value: None })
    }

    fn visit_bool<E>(self, flag: bool) -> Result<AnyValue, E> {
        Ok(any(any_value::Value::BoolValue(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<AnyValue, E> {
        Ok(any(any_value::Value::IntValue(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<AnyValue, E> {
        Ok(any(match i64::try_from(number) {
            Ok(number) => any_value::Value::IntValue(number),
            Err(_) => any_value::Value::DoubleValue(number as f64),
        }))
    }

    fn visit_f64<E>(self, number: f64) -> Result<AnyValue, E> {
        Ok(any(any_value::Value::DoubleValue(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<AnyValue, E> {
        Ok(any(any_value::Value::StringValue(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<AnyValue, E> {
        Ok(any(any_value::Value::StringValue(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<AnyValue, A::Error> {
        let mut values = Vec::new();
        while let Some(Parsed(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(any(any_value::Value::ArrayValue(ArrayValue { values })))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyValue, A::Error> {
        EntriesVisitor.visit_map(map).map(|entries| object(entries.0))
    }
}

// === impl Entries ===

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Parsed(value))) = map.next_entry::<String, Parsed>()? {
            entries.push((key, value));
        }
        Ok(Entries(entries))
    }
}

// === impl Values ===

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Vec<AnyValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == self.key {
                values.push(map.next_value::<Parsed>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: an object with marks, doubled dollars, equal keys and numbers at their limits.
    /// Guarantees: each value has the type it was written with, and a single one is found without the others.
    #[test]
    fn values_keep_their_types() {
        let text = r#"{"a":1,"a":1.0,"$$bytes":"x","m":{"$$bytes":"eA=="},"b":{"$bytes":"eA=="},"n":{"$double":"NaN"},"z":-0.0,"e":null,"d":9223372036854775807,"q\"":true}"#;
        let read = attributes(text).unwrap();
        let keys: Vec<&str> = read.iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(keys, ["a", "a", "$bytes", "m", "b", "n", "z", "e", "d", "q\""]);
        let values =
            |key: &str| -> Vec<_> { attribute_values(text, key).into_iter().map(|value| value.value).collect() };
        assert_eq!(values("a"), [Some(any_value::Value::IntValue(1)), Some(any_value::Value::DoubleValue(1.0))]);
        assert_eq!(values("$bytes"), [Some(any_value::Value::StringValue("x".into()))]);
        assert_eq!(values("b"), [Some(any_value::Value::BytesValue(vec![b'x']))]);
        assert!(
            matches!(values("m").as_slice(), [Some(any_value::Value::KvlistValue(map))] if map.values[0].key == "$bytes")
        );
        assert!(matches!(values("n").as_slice(), [Some(any_value::Value::DoubleValue(number))] if number.is_nan()));
        assert!(
            matches!(values("z").as_slice(), [Some(any_value::Value::DoubleValue(number))] if number.is_sign_negative())
        );
        assert_eq!(values("e"), [None]);
        assert_eq!(values("d"), [Some(any_value::Value::IntValue(i64::MAX))]);
        assert_eq!(values("q\""), [Some(any_value::Value::BoolValue(true))]);
        assert!(values("x").is_empty());
    }
}
