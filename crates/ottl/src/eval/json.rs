//! Values as JSON text, formatted as Go's encoder does: keys sorted, numbers without needless digits, `<`, `>` and `&`
//! escaped.

use std::fmt::Write;

use spanmill_otlp::{AnyValue, ValueRef};

use super::EvalError;
use super::piece::Piece;
use super::val::{MapVal, Val, elements};

/// Encodes a value.
pub(crate) fn encode(value: &Val<'_>) -> Result<String, EvalError> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Val<'_>) -> Result<(), EvalError> {
    match value {
        Val::Nil => out.push_str("null"),
        Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Val::Int(value) => put(out, format_args!("{value}")),
        Val::Double(value) => put_double(out, *value)?,
        Val::Str(text) => put_string(out, text),
        Val::Bytes(bytes) => put_string(out, base64(bytes).as_bytes()),
        Val::Map(map) => put_map(out, map)?,
        Val::Slice(body) => put_list(out, elements(body), |out, element| put_value(out, element))?,
        Val::List(list) => put_list(out, list.items().iter(), write)?,
        Val::Strings(items) => put_list(out, items.iter(), |out, item| {
            put_string(out, item);
            Ok(())
        })?,
        Val::Duration(nanos) => put(out, format_args!("{nanos}")),
        Val::Time(time) => {
            let text = crate::functions::time::rfc3339(*time);
            put_string(out, text.ok_or(EvalError::Static("JSON cannot hold a year of five digits"))?.as_bytes());
        }
        // Ids are arrays of bytes in Go, and shown as such.
        Val::TraceId(id) => put_bytes(out, id),
        Val::SpanId(id) => put_bytes(out, id),
        Val::Piece(Piece::Bounds(bounds)) => put_list(out, bounds.iter(), |out, bound| put_double(out, *bound))?,
        Val::Events(_) | Val::Links(_) | Val::Status(_) | Val::Piece(_) => out.push_str("{}"),
    }
    Ok(())
}

fn put_value(out: &mut String, value: ValueRef<'_>) -> Result<(), EvalError> {
    match value.get() {
        // A slice of bytes inside a value is JSON text in base 64; everything else is as it is outside.
        AnyValue::Empty => out.push_str("null"),
        _ => write(out, &Val::of(value))?,
    }
    Ok(())
}

fn put_list<T>(
    out: &mut String,
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut String, T) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    out.push('[');
    for (index, value) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        item(out, value)?;
    }
    out.push(']');
    Ok(())
}

/// Where a key is repeated its last value counts, as in the Go map that this stands for.
fn put_map(out: &mut String, map: &MapVal<'_>) -> Result<(), EvalError> {
    let mut entries = std::collections::BTreeMap::new();
    map.each(|key, value| {
        entries.insert(key, value);
        Ok::<_, EvalError>(())
    })?;
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put_string(out, key);
        out.push(':');
        put_value(out, value)?;
    }
    out.push('}');
    Ok(())
}

fn put_bytes(out: &mut String, bytes: &[u8]) {
    let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
    put(out, format_args!("[{}]", bytes.join(",")));
}

fn put_string(out: &mut String, text: &[u8]) {
    out.push('"');
    for c in String::from_utf8_lossy(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                put(out, format_args!("\\u{:04x}", u32::from(c)))
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn put_double(out: &mut String, value: f64) -> Result<(), EvalError> {
    if !value.is_finite() {
        return Err(EvalError::Static("JSON cannot hold NaN and infinity"));
    }
    let size = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&size) {
        put(out, format_args!("{value}"));
    } else {
        // Exponents have a sign and two digits.
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
                put(out, format_args!("{digits}e{sign}{exponent:0>2}"));
            }
            None => out.push_str(&text),
        }
    }
    Ok(())
}

/// Writing to a string cannot fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// Bytes in standard base 64, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            if at <= chunk.len() {
                let digit = DIGITS.get((word >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'A');
                out.push(char::from(digit));
            } else {
                out.push('=');
            }
        }
    }
    out
}
