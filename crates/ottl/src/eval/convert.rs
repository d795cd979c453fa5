//! What functions ask of their arguments: a value of a type, or one that can be made into it.

use std::borrow::Cow;

use spanmill_otlp::parse_float;

use super::val::{MapVal, Time, Val, encode_slice};
use super::{EvalError, json};

fn wrong(expected: &'static str, found: &Val<'_>) -> EvalError {
    EvalError::Type { expected, found: found.type_name() }
}

/// A string, as it is.
pub(crate) fn string(value: Val<'_>) -> Result<Cow<'_, [u8]>, EvalError> {
    match value {
        Val::Str(text) => Ok(text),
        other => Err(wrong("string", &other)),
    }
}

pub(crate) fn int(value: &Val<'_>) -> Result<i64, EvalError> {
    match value {
        Val::Int(value) => Ok(*value),
        other => Err(wrong("int", other)),
    }
}

pub(crate) fn double(value: &Val<'_>) -> Result<f64, EvalError> {
    match value {
        Val::Double(value) => Ok(*value),
        other => Err(wrong("double", other)),
    }
}

pub(crate) fn bool(value: &Val<'_>) -> Result<bool, EvalError> {
    match value {
        Val::Bool(value) => Ok(*value),
        other => Err(wrong("bool", other)),
    }
}

pub(crate) fn time(value: &Val<'_>) -> Result<Time, EvalError> {
    match value {
        Val::Time(value) => Ok(*value),
        other => Err(wrong("time", other)),
    }
}

pub(crate) fn duration(value: &Val<'_>) -> Result<i64, EvalError> {
    match value {
        Val::Duration(value) => Ok(*value),
        other => Err(wrong("duration", other)),
    }
}

pub(crate) fn map(value: Val<'_>) -> Result<MapVal<'_>, EvalError> {
    match value {
        Val::Map(map) => Ok(map),
        other => Err(wrong("map", &other)),
    }
}

/// The elements as an encoded `ArrayValue`.
pub(crate) fn slice(value: Val<'_>) -> Result<Cow<'_, [u8]>, EvalError> {
    match value {
        Val::Slice(body) => Ok(body),
        Val::List(list) => {
            list.items().iter().try_for_each(plain)?;
            encode_slice(list.items()).map(Cow::Owned)
        }
        Val::Strings(items) => {
            let items: Vec<Val<'_>> = items.into_iter().map(Val::Str).collect();
            encode_slice(&items).map(Cow::Owned)
        }
        other => Err(wrong("list", &other)),
    }
}

/// Maps and received lists cannot be put into a list that is written in the text, in Go's.
fn plain(item: &Val<'_>) -> Result<(), EvalError> {
    match item {
        Val::Map(_) | Val::Slice(_) | Val::Strings(_) => Err(wrong("plain value", item)),
        Val::List(inner) => inner.items().iter().try_for_each(plain),
        _ => Ok(()),
    }
}

/// Any value as text: bytes in hexadecimal, maps and lists as JSON. Nil stays nil.
pub(crate) fn string_like(value: Val<'_>) -> Result<Option<Cow<'_, [u8]>>, EvalError> {
    Ok(Some(match value {
        Val::Nil => return Ok(None),
        Val::Str(text) => text,
        Val::Bytes(bytes) => Cow::Owned(hex(&bytes).into_bytes()),
        other => Cow::Owned(json::encode(&other)?.into_bytes()),
    }))
}

pub(crate) fn int_like(value: &Val<'_>) -> Result<Option<i64>, EvalError> {
    Ok(Some(match value {
        Val::Nil => return Ok(None),
        Val::Int(value) => *value,
        Val::Str(text) => parse_int(text)?,
        Val::Double(value) => truncate(*value),
        Val::Bool(value) => i64::from(*value),
        other => return Err(EvalError::Unsupported { what: "an integer's source", found: other.type_name() }),
    }))
}

pub(crate) fn double_like(value: &Val<'_>) -> Result<Option<f64>, EvalError> {
    Ok(Some(match value {
        Val::Nil => return Ok(None),
        Val::Double(value) => *value,
        Val::Int(value) => *value as f64,
        Val::Str(text) => parse_double(text)?,
        Val::Bool(value) => f64::from(u8::from(*value)),
        other => return Err(EvalError::Unsupported { what: "a double's source", found: other.type_name() }),
    }))
}

pub(crate) fn bool_like(value: &Val<'_>) -> Result<Option<bool>, EvalError> {
    Ok(Some(match value {
        Val::Nil => return Ok(None),
        Val::Bool(value) => *value,
        Val::Int(value) => *value != 0,
        Val::Double(value) => *value != 0.0,
        Val::Str(text) => match text.as_ref() {
            b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => true,
            b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => false,
            other => return Err(EvalError::parse("boolean", other)),
        },
        other => return Err(EvalError::Unsupported { what: "a boolean's source", found: other.type_name() }),
    }))
}

/// Numbers become eight bytes, the highest first; a boolean becomes one.
pub(crate) fn bytes_like(value: Val<'_>) -> Result<Option<Cow<'_, [u8]>>, EvalError> {
    Ok(Some(match value {
        Val::Nil => return Ok(None),
        Val::Str(bytes) | Val::Bytes(bytes) => bytes,
        Val::Int(value) => Cow::Owned(value.to_be_bytes().to_vec()),
        Val::Double(value) => Cow::Owned(value.to_be_bytes().to_vec()),
        Val::Bool(value) => Cow::Owned(vec![u8::from(value)]),
        other => return Err(EvalError::Unsupported { what: "the source of bytes", found: other.type_name() }),
    }))
}

/// A decimal integer with an optional sign.
fn parse_int(text: &[u8]) -> Result<i64, EvalError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| EvalError::parse("integer", text))
}

fn parse_double(text: &[u8]) -> Result<f64, EvalError> {
    std::str::from_utf8(text).ok().and_then(parse_float).ok_or_else(|| EvalError::parse("double", text))
}

/// What remains of a double as an integer. What no integer can hold becomes the smallest one, as on Go's main platform.
pub(crate) fn truncate(value: f64) -> i64 {
    // 2^63 is the first double above the range; -2^63 is in it.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value & 15)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
