//! What a scalar means, by the rules of the Collector's YAML parser: YAML 1.2's core schema with underscores in numbers, octal
//! numbers in both spellings, binary numbers, and no `yes`/`no`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use saphyr_parser::{ScalarStyle, Tag};

use crate::Value;

/// The value of a scalar.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let text_value = || Value::String(text.to_owned());
    let tag = match tag {
        Some(tag) if tag.is_yaml_core_schema() => Some(tag.suffix.as_str()),
        // A tag that is not YAML's own says nothing here.
        Some(tag) if !(tag.handle.is_empty() && tag.suffix == "!") => return Ok(text_value()),
        _ => None,
    };
    match tag {
        None if style == ScalarStyle::Plain => Ok(plain(text)),
        None | Some("str") => Ok(text_value()),
        Some(tag @ ("null" | "bool" | "int" | "float")) => match (plain(text), tag) {
            (value @ Value::Null, "null")
            | (value @ Value::Bool(_), "bool")
            | (value @ (Value::Int(_) | Value::UInt(_)), "int")
            | (value @ Value::Float(_), "float") => Ok(value),
            (Value::Int(value), "float") => Ok(Value::Float(value as f64)),
            (Value::UInt(value), "float") => Ok(Value::Float(value as f64)),
            _ => Err(format!("cannot read {text:?} as !!{tag}")),
        },
        Some("binary") => binary(text).ok_or_else(|| format!("cannot read {text:?} as !!binary")),
        Some(_) => Ok(text_value()),
    }
}

/// The text that is written in base64; other bytes have no place in a configuration.
fn binary(text: &str) -> Option<Value> {
    let encoded: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().map(Value::String)
}

/// A value of `text` without quotes.
pub(crate) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

/// A key as text: what is not text is written as Go prints it.
pub(super) fn key_text(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok("<nil>".to_owned()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Int(value) => Ok(value.to_string()),
        Value::UInt(value) => Ok(value.to_string()),
        Value::Float(value) => Ok(value.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::List(_) | Value::Map(_) => Err("a list or a map cannot be a key".to_owned()),
    }
}

fn number(text: &str) -> Option<Value> {
    match text.bytes().next()? {
        b'.' => decimal(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits = text.replace('_', "");
            whole(&digits).or_else(|| decimal(&digits))
        }
        _ => None,
    }
}

/// Whole numbers with the prefixes `0x`, `0b`, `0o` and `0`.
fn whole(text: &str) -> Option<Value> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match unsigned.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, unsigned.get(2..)?),
        Some("0b") => (2, unsigned.get(2..)?),
        Some("0o") => (8, unsigned.get(2..)?),
        _ => match unsigned.strip_prefix('0') {
            Some(digits) if !digits.is_empty() => (8, digits),
            _ => (10, unsigned),
        },
    };
    // The standard parser would take a second sign.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Value::Int(value)),
        (false, Err(_)) => Some(Value::UInt(magnitude)),
        (true, Ok(value)) => Some(Value::Int(-value)),
        (true, Err(_)) => (magnitude == i64::MIN.unsigned_abs()).then_some(Value::Int(i64::MIN)),
    }
}

/// Decimal numbers with a point or an exponent; those beyond the range stay text.
fn decimal(text: &str) -> Option<Value> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value: f64 = text.parse().ok().filter(|_| is_decimal)?;
    value.is_finite().then_some(Value::Float(value))
}
