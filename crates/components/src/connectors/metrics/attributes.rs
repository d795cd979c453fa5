//! Attribute values as text and as the attributes of data points.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue as ProtoValue, ArrayValue, KeyValue, KeyValueList};
use prost::Message;
use spanmill_otlp::{AnyValue, Attribute, Attributes, ValueRef};

use crate::exporters::debug::text;

/// Appends a value as text, as the Collector's `AsString` has it: JSON for maps and lists, base 64 for bytes.
#[inline]
pub(crate) fn push_text(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value.get() {
        AnyValue::Text(text) => out.extend_from_slice(text),
        AnyValue::Int(number) => push_int(out, number),
        AnyValue::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        AnyValue::Empty => {}
        AnyValue::Double(_) | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => {
            out.extend_from_slice(text::value(Some(&any_value(value))).as_bytes());
        }
    }
}

/// Appends a value so that what was appended is the same for equal values of one type, and for these only.
pub(crate) fn push_typed(out: &mut Vec<u8>, value: ValueRef<'_>) {
    out.push(match value.get() {
        AnyValue::Empty => 0,
        AnyValue::Text(_) => 1,
        AnyValue::Bool(_) => 2,
        AnyValue::Int(_) => 3,
        AnyValue::Double(_) => 4,
        AnyValue::Array(_) => 5,
        AnyValue::Map(_) => 6,
        AnyValue::Bytes(_) => 7,
    });
    push_sized(out, |out| push_text(out, value));
}

/// Writes what [`push_typed`] writes of a text.
pub(crate) fn push_typed_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(1);
    push_sized(out, |out| out.extend_from_slice(text));
}

fn push_sized(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    push(out);
    let length = (out.len() - at - 4) as u32;
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Writes what tells a resource apart: attributes by name, each with its type and text, so that their order does not matter. All count where
/// none are wanted.
pub(crate) fn put_resource_key(key: &mut Vec<u8>, attributes: Attributes<'_>, wanted: &[String]) {
    key.clear();
    let is_wanted = |name: &[u8]| wanted.is_empty() || wanted.iter().any(|wanted| wanted.as_bytes() == name);
    let mut attributes: Vec<Attribute<'_>> = attributes.filter(|found| is_wanted(found.key)).collect();
    attributes.sort_by_key(|found| found.key);
    for Attribute { key: name, value, .. } in attributes {
        key.extend_from_slice(&(name.len() as u32).to_le_bytes());
        key.extend_from_slice(name);
        push_typed(key, value);
    }
}

/// A value that was configured, for where an attribute is missing.
#[derive(Debug, Clone)]
pub(crate) struct Fallback {
    pub(crate) value: ProtoValue,
    /// As [`push_typed`] has it.
    pub(crate) typed: Vec<u8>,
}

/// A configured value; none where it is null.
pub(crate) fn fallback(value: &serde_json::Value) -> Option<Fallback> {
    let value = Some(configured(value)).filter(|value| value.value.is_some())?;
    let mut typed = Vec::new();
    push_typed(&mut typed, ValueRef::new(&value.encode_to_vec()));
    Some(Fallback { value, typed })
}

/// A configured value as an attribute's.
fn configured(value: &serde_json::Value) -> ProtoValue {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => None,
        Json::Bool(flag) => Some(Value::BoolValue(*flag)),
        Json::Number(number) => Some(match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::IntValue(number),
            (None, Some(number)) => Value::IntValue(number as i64),
            (None, None) => Value::DoubleValue(number.as_f64().unwrap_or(0.0)),
        }),
        Json::String(text) => Some(Value::StringValue(text.clone())),
        Json::Array(items) => Some(Value::ArrayValue(ArrayValue { values: items.iter().map(configured).collect() })),
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| KeyValue {
                key: key.clone(),
                value: Some(configured(value)),
                ..KeyValue::default()
            };
            Some(Value::KvlistValue(KeyValueList { values: entries.iter().map(entry).collect() }))
        }
    };
    ProtoValue { value }
}

/// A decoded value as text.
pub(crate) fn proto_text(value: Option<&ProtoValue>) -> String {
    text::value(value)
}

fn push_int(out: &mut Vec<u8>, number: i64) {
    // Twenty characters hold every number with its sign.
    let mut digits = [0_u8; 20];
    let mut left = number.unsigned_abs();
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (left % 10) as u8;
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or(&[]));
}

/// The value, decoded. Text that is not UTF-8 is made so: nothing else could be sent on.
pub(crate) fn any_value(value: ValueRef<'_>) -> ProtoValue {
    let decoded = match value.get() {
        AnyValue::Empty => None,
        AnyValue::Text(text) => Some(Value::StringValue(lossy(text))),
        AnyValue::Bool(flag) => Some(Value::BoolValue(flag)),
        AnyValue::Int(number) => Some(Value::IntValue(number)),
        AnyValue::Double(number) => Some(Value::DoubleValue(number)),
        AnyValue::Bytes(bytes) => Some(Value::BytesValue(bytes.to_vec())),
        AnyValue::Array(_) => Some(Value::ArrayValue(ArrayValue { values: value.elements().map(any_value).collect() })),
        AnyValue::Map(_) => {
            let values = value.entries().map(|(key, value)| key_value(key, value)).collect();
            Some(Value::KvlistValue(KeyValueList { values }))
        }
    };
    ProtoValue { value: decoded }
}

/// An attribute, decoded.
pub(crate) fn key_value(key: &[u8], value: ValueRef<'_>) -> KeyValue {
    KeyValue { key: lossy(key), value: Some(any_value(value)), ..KeyValue::default() }
}

/// An attribute that is a text.
pub(crate) fn text_attribute(key: &str, text: &[u8]) -> KeyValue {
    let value = ProtoValue { value: Some(Value::StringValue(lossy(text))) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

/// All attributes, decoded.
pub(crate) fn all(attributes: Attributes<'_>) -> Vec<KeyValue> {
    attributes.map(|found| key_value(found.key, found.value)).collect()
}

/// Adds an attribute, in the place of one with the same key where there is one.
pub(crate) fn insert(attributes: &mut Vec<KeyValue>, attribute: KeyValue) {
    match attributes.iter_mut().find(|known| known.key == attribute.key) {
        Some(known) => *known = attribute,
        None => attributes.push(attribute),
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
