//! Values as text, in the Collector's form (`AsString`): what is no text is written as JSON would.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::view::{AnyValue, ValueRef};

// === impl ValueRef ===

impl ValueRef<'_> {
    /// Appends the value as text: text as it is, numbers in their shortest form, bytes in base 64, arrays and maps as JSON with sorted keys
    /// (nothing at all where they hold a number that JSON has not, as in Go), no value as nothing.
    pub fn put_text(self, out: &mut Vec<u8>) {
        match self.get() {
            AnyValue::Empty => {}
            AnyValue::Text(text) => out.extend_from_slice(text),
            AnyValue::Bool(flag) => put(out, flag),
            AnyValue::Int(number) => put(out, number),
            AnyValue::Double(number) if number.is_nan() => out.extend_from_slice(b"NaN"),
            AnyValue::Double(number) if number.is_infinite() => {
                out.extend_from_slice(if number > 0.0 { b"Infinity" } else { b"-Infinity" });
            }
            AnyValue::Double(number) => put_double(out, number),
            AnyValue::Bytes(bytes) => put(out, STANDARD.encode(bytes)),
            AnyValue::Array(_) | AnyValue::Map(_) => {
                let before = out.len();
                if put_json(out, self).is_none() {
                    out.truncate(before);
                }
            }
        }
    }
}

/// Appends a finite number with as few digits as give it back, without an exponent.
pub fn put_plain_double(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        let text = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return out.extend_from_slice(text.as_bytes());
    }
    let (mantissa, exponent) = digits(number);
    crate::json::put_plain(out, &mantissa, exponent);
}

/// As JavaScript writes a number: with an exponent below 1e-6 and from 1e21 on.
fn put_double(out: &mut Vec<u8>, number: f64) {
    let (mantissa, exponent) = digits(number);
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        return crate::json::put_plain(out, &mantissa, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    put(out, format_args!("{mantissa}e{sign}{}", exponent.unsigned_abs()));
}

/// The shortest digits that give a finite number back, and the power of ten they are multiplied by.
fn digits(number: f64) -> (String, i32) {
    // Of two that are as close this takes the even ones, as Go does; `Display` takes the higher.
    let text = serde_json::to_string(&number).unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.strip_suffix(".0").unwrap_or(mantissa).to_owned(), exponent.parse().unwrap_or(0))
}

/// Appends JSON; none where it cannot hold the value. Depth is bounded by what the request's scan lets pass.
fn put_json(out: &mut Vec<u8>, value: ValueRef<'_>) -> Option<()> {
    match value.get() {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::Text(text) => put_json_text(out, text)?,
        AnyValue::Bool(flag) => put(out, flag),
        AnyValue::Int(number) => put(out, number),
        AnyValue::Double(number) if number.is_finite() => put_double(out, number),
        AnyValue::Double(_) => return None,
        AnyValue::Bytes(bytes) => put(out, format_args!("\"{}\"", STANDARD.encode(bytes))),
        AnyValue::Array(_) => {
            for (at, element) in value.elements().enumerate() {
                out.push(if at == 0 { b'[' } else { b',' });
                put_json(out, element)?;
            }
            close(out, value.elements().next().is_none(), b"[]");
        }
        AnyValue::Map(_) => {
            // Where a key is repeated its last value counts.
            let entries: BTreeMap<&[u8], ValueRef<'_>> = value.entries().collect();
            for (at, (key, element)) in entries.iter().enumerate() {
                out.push(if at == 0 { b'{' } else { b',' });
                put_json_text(out, key)?;
                out.push(b':');
                put_json(out, *element)?;
            }
            close(out, entries.is_empty(), b"{}");
        }
    }
    Some(())
}

/// Closes a list; one without members was not opened yet.
fn close(out: &mut Vec<u8>, empty: bool, [open, close]: &[u8; 2]) {
    if empty {
        out.push(*open);
    }
    out.push(*close);
}

/// Appends a JSON string. Go escapes two line separators too, for JavaScript's sake.
fn put_json_text(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let text = String::from_utf8_lossy(text);
    let quoted = serde_json::to_string(&*text).ok()?;
    if quoted.contains(['\u{2028}', '\u{2029}']) {
        put(out, quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"));
    } else {
        out.extend_from_slice(quoted.as_bytes());
    }
    Some(())
}

/// Writing to a vector cannot fail.
fn put(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Value, put_any_value};

    fn text(value: &Value<'_>) -> String {
        let (mut encoded, mut out) = (Vec::new(), Vec::new());
        put_any_value(&mut encoded, value);
        ValueRef::new(&encoded).put_text(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Scenario: values of all types, numbers of all sizes among them.
    /// Guarantees: their texts are those of Go's `pcommon.Value.AsString`.
    #[test]
    fn texts_are_go_s() {
        assert_eq!(text(&Value::Empty), "");
        assert_eq!(text(&Value::Str("<a> & \"b\"")), "<a> & \"b\"");
        assert_eq!(text(&Value::Bool(true)), "true");
        assert_eq!(text(&Value::Int(-3)), "-3");
        assert_eq!(text(&Value::Bytes(&[0, 1, 254])), "AAH+");
        let doubles = [
            (0.7, "0.7"),
            (2.0, "2"),
            (-0.0, "-0"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e300, "1.25e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in doubles {
            assert_eq!(text(&Value::Double(number)), expected, "{number:?}");
        }
        let inner =
            [Value::Int(1), Value::Double(2.5), Value::Str("<\u{2028}\u{8}\">"), Value::Empty, Value::Bytes(b"x")];
        let map = [("b", Value::Array(&inner)), ("a", Value::Map(&[])), ("c", Value::Array(&[]))];
        assert_eq!(text(&Value::Map(&map)), r#"{"a":{},"b":[1,2.5,"<\u2028\b\">",null,"eA=="],"c":[]}"#);
        assert_eq!(text(&Value::Array(&[Value::Double(f64::NAN)])), "");
    }

    /// Scenario: numbers without an exponent.
    /// Guarantees: they are written as Go's `FormatFloat(x, 'f', -1, 64)` does.
    #[test]
    fn plain_numbers() {
        for (number, expected) in
            [(1e21, "1000000000000000000000"), (1e-7, "0.0000001"), (3.25, "3.25"), (f64::INFINITY, "+Inf")]
        {
            let mut out = Vec::new();
            put_plain_double(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
