//! Values as they are encoded.

use spanmill_otlp::{Value, put_any_value};

/// A value, encoded.
pub(super) fn encoded(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_any_value(&mut out, value);
    out
}
