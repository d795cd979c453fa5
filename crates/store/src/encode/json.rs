//! Attributes as JSON, so that nothing is lost: integers without, doubles with a fraction or an exponent.
//!
//! What JSON has no form for becomes an object with one key: `{"$bytes": base64}`, `{"$double": "NaN"}`, `{"$text": base64}` for text that is
//! no UTF-8 and `{"$any": base64}` for values nested too deeply. Keys that begin with `$` themselves get a second one.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use spanmill_otlp::{AnyValue, Attribute, ValueRef};

/// Deeper values stay encoded.
const MAX_DEPTH: usize = 64;

/// An object that is written attribute by attribute. Empty text stands for an object without any.
#[derive(Debug, Default)]
pub(crate) struct Object {
    text: String,
}

// === impl Object ===

impl Object {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
    }

    /// The object, or none where it has no attribute. Ends it: [`Object::clear`] comes next.
    pub(crate) fn finish(&mut self) -> Option<&str> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push('}');
        Some(&self.text)
    }

    pub(crate) fn put(&mut self, key: &[u8], value: ValueRef<'_>) {
        match key.first() {
            Some(b'$') => self.key(&[b"$", key].concat()),
            _ => self.key(key),
        }
        put_value(&mut self.text, value, 0);
    }

    pub(crate) fn put_text(&mut self, key: &str, value: &[u8]) {
        self.key(key.as_bytes());
        put_text(&mut self.text, value);
    }

    pub(crate) fn put_number(&mut self, key: &str, value: u64) {
        self.key(key.as_bytes());
        let _ = write!(self.text, "{value}");
    }

    pub(crate) fn put_all<'a>(&mut self, attributes: impl Iterator<Item = Attribute<'a>>) {
        for attribute in attributes {
            self.put(attribute.key, attribute.value);
        }
    }

    fn key(&mut self, key: &[u8]) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        put_string(&mut self.text, &lossy(key));
        self.text.push(':');
    }
}

/// Text, mostly as it is: [`String::from_utf8_lossy`] looks for what is wrong in it from the beginning, which is slower.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Appends a value.
pub(crate) fn put_value(out: &mut String, value: ValueRef<'_>, depth: usize) {
    match value.get() {
        AnyValue::Empty => out.push_str("null"),
        AnyValue::Text(text) => put_text(out, text),
        AnyValue::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
        AnyValue::Int(number) => {
            let _ = write!(out, "{number}");
        }
        AnyValue::Double(number) => put_double(out, number),
        AnyValue::Bytes(bytes) => put_marked(out, "$bytes", bytes),
        AnyValue::Array(_) | AnyValue::Map(_) if depth >= MAX_DEPTH => put_marked(out, "$any", value.raw()),
        AnyValue::Array(_) => {
            out.push('[');
            for (at, element) in value.elements().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                put_value(out, element, depth + 1);
            }
            out.push(']');
        }
        AnyValue::Map(_) => put_map(out, value, depth),
    }
}

fn put_map(out: &mut String, value: ValueRef<'_>, depth: usize) {
    out.push('{');
    for (at, (key, item)) in value.entries().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let key = lossy(key);
        if key.starts_with('$') {
            put_string(out, &format!("${key}"));
        } else {
            put_string(out, &key);
        }
        out.push(':');
        put_value(out, item, depth + 1);
    }
    out.push('}');
}

fn put_text(out: &mut String, text: &[u8]) {
    match std::str::from_utf8(text) {
        Ok(text) => put_string(out, text),
        Err(_) => put_marked(out, "$text", text),
    }
}

fn put_double(out: &mut String, number: f64) {
    match number.is_finite() {
        true => {
            // Debug, unlike Display, keeps a double a double where it is whole, and is as short as can be read back.
            let _ = write!(out, "{number:?}");
        }
        false if number.is_nan() => out.push_str(r#"{"$double":"NaN"}"#),
        false if number > 0.0 => out.push_str(r#"{"$double":"Infinity"}"#),
        false => out.push_str(r#"{"$double":"-Infinity"}"#),
    }
}

fn put_marked(out: &mut String, mark: &str, bytes: &[u8]) {
    let _ = write!(out, "{{\"{mark}\":\"");
    STANDARD.encode_string(bytes, out);
    out.push_str("\"}");
}

fn put_string(out: &mut String, text: &str) {
    // Without an early end, which nearly no text has, many bytes are looked at at once.
    let escaped = |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, escaped) {
        // A text is always written.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}
