//! OTLP/JSON, both ways, driven by one table of the messages.
//!
//! Reading is as lenient as the Go Collector: 64-bit numbers as strings or numbers, enumerations by number or name, ids
//! in hexadecimal of either case, names in lower camel case or snake case, unknown fields and nulls ignored. Writing
//! gives the Go Collector's bytes: ids in lower case, 64-bit numbers as strings, enumerations as numbers, defaults left
//! out. What is not UTF-8 becomes U+FFFD in both directions, since JSON has no place for it.

mod read;
mod scalar;
mod schema;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub(crate) use text::put_plain;
use thiserror::Error;

use crate::error::Malformed;
use crate::limits::Limits;
use crate::opaque::Signal;

/// A text that is not OTLP/JSON: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("malformed OTLP/JSON: {message}")]
pub struct JsonError {
    /// What is wrong, with line and column.
    pub message: String,
    /// Line, counted from one; zero where the text as a whole is at fault.
    pub line: usize,
    /// Column in bytes, counted from one.
    pub column: usize,
}

/// Encodes an OTLP/JSON request of that signal as protobuf.
pub fn to_protobuf(signal: Signal, text: &[u8], limits: &Limits) -> Result<Vec<u8>, JsonError> {
    if text.len() > limits.max_bytes {
        return Err(JsonError::too_large());
    }
    let encoded = read::request(schema::Message::request(signal), text, limits.max_depth).map_err(JsonError::from)?;
    if encoded.len() > limits.max_bytes { Err(JsonError::too_large()) } else { Ok(encoded) }
}

/// Appends an encoded request of that signal as OTLP/JSON, on one line and without a line break at its end.
///
/// Fails where the request is malformed or nests deeper than the default limit; `out` then holds a part of it.
pub fn from_protobuf(signal: Signal, encoded: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    write::request(schema::Message::request(signal), encoded, Limits::default().max_depth, out)
}

// === impl JsonError ===

impl JsonError {
    fn too_large() -> Self {
        Self { message: "the request is too large".into(), line: 0, column: 0 }
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { message: error.to_string(), line: error.line(), column: error.column() }
    }
}
