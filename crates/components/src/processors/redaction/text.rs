//! Values as texts, as the Collector writes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use spanmill_otlp::{AnyValue, ValueRef};

/// The text of a value of any type.
pub(super) fn text_of(value: ValueRef<'_>) -> Cow<'_, [u8]> {
    match value.get() {
        AnyValue::Text(text) => Cow::Borrowed(text),
        AnyValue::Empty => Cow::Borrowed(b""),
        AnyValue::Bool(flag) => Cow::Borrowed(if flag { b"true" } else { b"false" }),
        AnyValue::Int(number) => Cow::Owned(number.to_string().into_bytes()),
        AnyValue::Double(number) if number.is_finite() => Cow::Owned(double(number).into_bytes()),
        AnyValue::Double(number) => Cow::Borrowed(not_finite(number).as_bytes()),
        AnyValue::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes).into_bytes()),
        AnyValue::Array(_) | AnyValue::Map(_) => {
            let mut out = String::new();
            // What JSON cannot say is nothing in the Collector.
            Cow::Owned(if put_json(&mut out, value) { out.into_bytes() } else { Vec::new() })
        }
    }
}

/// Appends a value as Go's `encoding/json` writes it; says whether that is possible. Depth is limited where requests come in.
fn put_json(out: &mut String, value: ValueRef<'_>) -> bool {
    match value.get() {
        AnyValue::Empty => out.push_str("null"),
        AnyValue::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
        AnyValue::Int(number) => out.push_str(&number.to_string()),
        AnyValue::Double(number) if number.is_finite() => out.push_str(&double(number)),
        AnyValue::Double(_) => return false,
        AnyValue::Text(text) => put_quoted(out, &String::from_utf8_lossy(text)),
        AnyValue::Bytes(bytes) => put_quoted(out, &STANDARD.encode(bytes)),
        AnyValue::Array(_) => {
            out.push('[');
            for (index, element) in value.elements().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if !put_json(out, element) {
                    return false;
                }
            }
            out.push(']');
        }
        AnyValue::Map(_) => {
            // Sorted; the last one counts where a key is repeated.
            let entries: BTreeMap<&[u8], ValueRef<'_>> = value.entries().collect();
            out.push('{');
            for (index, (key, entry)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                put_quoted(out, &String::from_utf8_lossy(key));
                out.push(':');
                if !put_json(out, entry) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}

/// Shortest digits; an exponent below 1e-6 and from 1e21 on, as in ECMAScript.
fn double(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Appends a JSON text. Line ends that JavaScript has and JSON does not are escaped, too.
fn put_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use spanmill_otlp::{Value, put_any_value};

    use super::*;

    fn text(value: &Value<'_>) -> String {
        let mut encoded = Vec::new();
        put_any_value(&mut encoded, value);
        String::from_utf8(text_of(ValueRef::new(&encoded)).into_owned()).unwrap()
    }

    /// Scenario: values of all types.
    /// Guarantees: the texts are those of the Collector.
    #[test]
    fn texts() {
        let nested = [
            ("b<", Value::Double(0.1)),
            ("a", Value::Array(&[Value::Int(1), Value::Empty, Value::Bytes(b"\x00\xff")])),
        ];
        for (value, expected) in [
            (Value::Str("x"), "x"),
            (Value::Empty, ""),
            (Value::Bool(true), "true"),
            (Value::Int(-7), "-7"),
            (Value::Double(2.0), "2"),
            (Value::Double(-0.0), "-0"),
            (Value::Double(1e21), "1e+21"),
            (Value::Double(1.5e-7), "1.5e-7"),
            (Value::Double(123_456_789.0), "123456789"),
            (Value::Double(f64::NEG_INFINITY), "-Infinity"),
            (Value::Bytes(b"hi"), "aGk="),
            (Value::Map(&nested), r#"{"a":[1,null,"AP8="],"b<":0.1}"#),
            (Value::Array(&[Value::Double(f64::NAN)]), ""),
            (Value::Array(&[]), "[]"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
