//! Values that actions make of others.

use sha2::{Digest, Sha256};
use spanmill_otlp::{AnyValue, Value, ValueRef, parse_float, put_any_value};

/// A type to convert to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConvertTo {
    String,
    Int,
    Double,
}

/// Writes the SHA-256 of a value in hexadecimal: of text, of the eight bytes of a number, of the one byte of a boolean. What has no hash in
/// the Collector becomes an empty text, so that it does not stay readable.
pub(super) fn hash(value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
    let digest = match value.get() {
        AnyValue::Text(text) => Some(Sha256::digest(text)),
        AnyValue::Bool(flag) => Some(Sha256::digest([u8::from(flag)])),
        AnyValue::Int(number) => Some(Sha256::digest(number.to_le_bytes())),
        AnyValue::Double(number) => Some(Sha256::digest(number.to_bits().to_le_bytes())),
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => None,
    };
    let text = digest.map(|digest| format!("{digest:x}")).unwrap_or_default();
    put_any_value(out, &Value::Str(&text));
    true
}

// === impl ConvertTo ===

impl ConvertTo {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::String),
            "int" => Some(Self::Int),
            "double" => Some(Self::Double),
            _ => None,
        }
    }

    /// Writes the converted value; says whether there is one. What has the type already, or cannot be converted, stays.
    pub(super) fn convert(self, value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
        let mut text = Vec::new();
        let converted = match (self, value.get()) {
            (Self::String, AnyValue::Text(_)) => None,
            (Self::String, _) => {
                value.put_text(&mut text);
                Some(Value::Text(&text))
            }
            (Self::Int, AnyValue::Double(number)) => Some(Value::Int(truncate(number))),
            (Self::Int, AnyValue::Bool(flag)) => Some(Value::Int(i64::from(flag))),
            (Self::Int, AnyValue::Text(text)) => {
                std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(Value::Int)
            }
            (Self::Double, AnyValue::Int(number)) => Some(Value::Double(number as f64)),
            (Self::Double, AnyValue::Bool(flag)) => Some(Value::Double(f64::from(u8::from(flag)))),
            (Self::Double, AnyValue::Text(text)) => {
                std::str::from_utf8(text).ok().and_then(parse_float).map(Value::Double)
            }
            _ => None,
        };
        if let Some(value) = &converted {
            put_any_value(out, value);
        }
        converted.is_some()
    }
}

/// The integer part; what no integer can hold is the smallest one, as the processors have it on which the Collector runs.
fn truncate(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}
