//! Other encodings of the same message, as protobuf allows them: variable-length integers longer than they need be,
//! submessages in two pieces, scalars that are overwritten later, fields that nobody knows.

use fastrand::Rng;

/// What a message contains, as far as that is needed to take it apart.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Request,
    ResourceSpans,
    ScopeSpans,
    Resource,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    /// Values keep their bytes: pieces of them are merged in ways that depend on the alternative.
    Value,
}

/// Encodes `message` anew.
pub(crate) fn mangle(message: &[u8], kind: Kind, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let mut pos = 0;
    while pos < message.len() {
        if rng.u8(..) < 20 {
            put_unknown(&mut out, rng);
        }
        let tag = varint(message, &mut pos);
        let number = tag >> 3;
        match tag & 7 {
            0 => {
                let value = varint(message, &mut pos);
                if rng.u8(..) < 30 {
                    put_varint(&mut out, tag, rng);
                    put_varint(&mut out, value ^ 1, rng);
                }
                put_varint(&mut out, tag, rng);
                put_varint(&mut out, value, rng);
            }
            1 => put_fixed(&mut out, tag, message, &mut pos, 8, rng),
            5 => put_fixed(&mut out, tag, message, &mut pos, 4, rng),
            _ => {
                let len = varint(message, &mut pos) as usize;
                let body = &message[pos..pos + len];
                pos += len;
                put_bytes(&mut out, number, body, kind, rng);
            }
        }
    }
    if rng.u8(..) < 20 {
        put_unknown(&mut out, rng);
    }
    out
}

fn put_bytes(out: &mut Vec<u8>, number: u64, body: &[u8], kind: Kind, rng: &mut Rng) {
    let tag = number << 3 | 2;
    let mut put = |body: &[u8], rng: &mut Rng| {
        put_varint(out, tag, rng);
        put_varint(out, body.len() as u64, rng);
        out.extend_from_slice(body);
    };
    let (child, once) = match (kind, number) {
        (Kind::Request, 1) => (Kind::ResourceSpans, false),
        (Kind::ResourceSpans, 1) => (Kind::Resource, true),
        (Kind::ResourceSpans, 2) => (Kind::ScopeSpans, false),
        (Kind::ScopeSpans, 1) => (Kind::Scope, true),
        (Kind::ScopeSpans, 2) => (Kind::Span, false),
        (Kind::Span, 9) | (Kind::Resource, 1) | (Kind::Scope, 3) | (Kind::Event, 3) | (Kind::Link, 4) => {
            (Kind::KeyValue, false)
        }
        (Kind::Span, 11) => (Kind::Event, false),
        (Kind::Span, 13) => (Kind::Link, false),
        (Kind::Span, 15) => (Kind::Status, true),
        (Kind::KeyValue, 2) => (Kind::Value, false),
        _ => {
            // A string: what stood there before does not count.
            if rng.u8(..) < 20 && body.len() != 16 && body.len() != 8 {
                put(b"", rng);
            }
            return put(body, rng);
        }
    };
    if matches!(child, Kind::Value) {
        return put(body, rng);
    }
    let mangled = mangle(body, child, rng);
    if once && rng.bool() {
        let (first, second) = mangled.split_at(boundary(&mangled, rng));
        put(first, rng);
        put(second, rng);
    } else {
        put(&mangled, rng);
    }
}

/// Somewhere between two fields.
fn boundary(message: &[u8], rng: &mut Rng) -> usize {
    let mut boundaries = vec![0];
    let mut pos = 0;
    while pos < message.len() {
        let tag = varint(message, &mut pos);
        match tag & 7 {
            0 => drop(varint(message, &mut pos)),
            1 => pos += 8,
            5 => pos += 4,
            _ => {
                let len = varint(message, &mut pos) as usize;
                pos += len;
            }
        }
        boundaries.push(pos);
    }
    boundaries[rng.usize(..boundaries.len())]
}

fn put_fixed(out: &mut Vec<u8>, tag: u64, message: &[u8], pos: &mut usize, len: usize, rng: &mut Rng) {
    let body = &message[*pos..*pos + len];
    *pos += len;
    if rng.u8(..) < 20 {
        put_varint(out, tag, rng);
        out.extend(std::iter::repeat_n(7, len));
    }
    put_varint(out, tag, rng);
    out.extend_from_slice(body);
}

fn put_unknown(out: &mut Vec<u8>, rng: &mut Rng) {
    let number = rng.u64(900..2_000);
    match rng.u8(..4) {
        0 => {
            put_varint(out, number << 3, rng);
            put_varint(out, rng.u64(..), rng);
        }
        1 => {
            put_varint(out, number << 3 | 1, rng);
            out.extend_from_slice(&[1; 8]);
        }
        2 => {
            put_varint(out, number << 3 | 5, rng);
            out.extend_from_slice(&[2; 4]);
        }
        _ => {
            put_varint(out, number << 3 | 2, rng);
            let body = vec![0xff; rng.usize(..200)];
            put_varint(out, body.len() as u64, rng);
            out.extend_from_slice(&body);
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64, rng: &mut Rng) {
    let mut len = 1;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
        len += 1;
    }
    // Tags may have no more than five bytes for some decoders.
    let padding = if rng.u8(..) < 30 && len < 5 { rng.usize(1..=5 - len) } else { 0 };
    if padding == 0 {
        return out.push(value as u8);
    }
    out.push(value as u8 | 0x80);
    out.extend(std::iter::repeat_n(0x80, padding - 1));
    out.push(0);
}

fn varint(message: &[u8], pos: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = message[*pos];
        *pos += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
