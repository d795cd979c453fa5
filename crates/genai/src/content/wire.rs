//! Fields as they are encoded.

use spanmill_otlp::{Payload, Value, put_any_value};

/// A value, encoded.
pub(super) fn encoded(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_any_value(&mut out, value);
    out
}

/// Appends a field as it was.
pub(super) fn put_field(out: &mut Vec<u8>, number: u32, payload: Payload<'_>) {
    let mut tag = |kind: u64| put_varint(out, u64::from(number) << 3 | kind);
    match payload {
        Payload::Varint(value) => {
            tag(0);
            put_varint(out, value);
        }
        Payload::Fixed64(value) => {
            tag(1);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Payload::Bytes(bytes) => {
            tag(2);
            put_varint(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Payload::Fixed32(value) => {
            tag(5);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
