//! Values as text, as the Collector's exporter writes them.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// A value without its type.
pub(crate) fn value(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => match *number {
            number if number.is_nan() => "NaN".into(),
            f64::INFINITY => "Infinity".into(),
            f64::NEG_INFINITY => "-Infinity".into(),
            number => json_number(number),
        },
        Some(Value::BytesValue(bytes)) => STANDARD.encode(bytes),
        Some(nested @ (Value::ArrayValue(_) | Value::KvlistValue(_))) => {
            let mut out = String::new();
            // The Collector says nothing at all where JSON has no form for a number.
            json(nested, &mut out).map_or_else(String::new, |()| out)
        }
        Some(Value::StringValueStrindex(_)) | None => String::new(),
    }
}

/// A value with its type, such as `Int(5)`.
pub(super) fn typed(found: Option<&AnyValue>) -> String {
    let kind = match found.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(_)) => "Str",
        Some(Value::BoolValue(_)) => "Bool",
        Some(Value::IntValue(_)) => "Int",
        Some(Value::DoubleValue(_)) => "Double",
        Some(Value::BytesValue(_)) => "Bytes",
        Some(Value::ArrayValue(_)) => "Slice",
        Some(Value::KvlistValue(_)) => "Map",
        Some(Value::StringValueStrindex(_)) | None => "Empty",
    };
    format!("{kind}({})", value(found))
}

/// Attributes as `key=value`.
pub(super) fn pairs(attributes: &[KeyValue]) -> Vec<String> {
    attributes.iter().map(|pair| format!("{}={}", pair.key, value(pair.value.as_ref()))).collect()
}

/// A time as Go writes it; fractions without trailing zeros.
pub(super) fn time(unix_nano: u64) -> String {
    // Go takes times beyond the year 2262 for ones before 1970.
    let time = Timestamp::from_nanosecond(i128::from(unix_nano as i64)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// An id in hexadecimal; nothing where it is none.
pub(crate) fn id(id: &[u8]) -> String {
    if id.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    id.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A number with six decimals: Go's `%f`.
pub(super) fn fixed(number: f64) -> String {
    match number {
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        _ => format!("{number:.6}"),
    }
}

/// A number with as many digits as it needs: Go's `%v`.
pub(crate) fn shortest(number: f64) -> String {
    match number {
        number if number.is_nan() => return "NaN".into(),
        f64::INFINITY => return "+Inf".into(),
        f64::NEG_INFINITY => return "-Inf".into(),
        _ => {}
    }
    let (mantissa, exponent) = scientific(number);
    if number == 0.0 || (-4..6).contains(&exponent) {
        return plain(number);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A finite number without an exponent.
fn plain(number: f64) -> String {
    // Where two are as close, even digits, as Go has them: `Display` takes the higher.
    let text = serde_json::to_string(&number).unwrap_or_default();
    if text.contains('e') { format!("{number}") } else { text.strip_suffix(".0").unwrap_or(&text).to_owned() }
}

fn scientific(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

/// A finite number as JavaScript writes it.
fn json_number(number: f64) -> String {
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        return plain(number);
    }
    let (mantissa, exponent) = scientific(number);
    format!("{mantissa}e{exponent:+}")
}

fn json(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::StringValue(text) => json_string(text, out),
        Value::BoolValue(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::IntValue(number) => out.push_str(&number.to_string()),
        Value::DoubleValue(number) if number.is_finite() => out.push_str(&json_number(*number)),
        Value::DoubleValue(_) => return None,
        Value::BytesValue(bytes) => json_string(&STANDARD.encode(bytes), out),
        Value::StringValueStrindex(_) => out.push_str("null"),
        Value::ArrayValue(array) => {
            out.push('[');
            for (at, element) in array.values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                json_or_null(Some(element), out)?;
            }
            out.push(']');
        }
        Value::KvlistValue(list) => {
            // Sorted, and of equal keys the last.
            let sorted: BTreeMap<&str, Option<&AnyValue>> =
                list.values.iter().map(|pair| (pair.key.as_str(), pair.value.as_ref())).collect();
            out.push('{');
            for (at, (key, element)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                json_string(key, out);
                out.push(':');
                json_or_null(element, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn json_or_null(value: Option<&AnyValue>, out: &mut String) -> Option<()> {
    match value.and_then(|value| value.value.as_ref()) {
        Some(value) => json(value, out),
        None => {
            out.push_str("null");
            Some(())
        }
    }
}

fn json_string(text: &str, out: &mut String) {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    out.push_str(&quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"));
}
