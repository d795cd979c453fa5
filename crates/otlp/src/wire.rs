//! Protobuf's wire format: variable-length integers, tags and fields.

use crate::error::{Malformed, Reason};

/// What a field holds, by wire type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payload<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: a string, bytes or a message.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// One field as read from `pos`; `end` is where the next one begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawField<'a> {
    pub(crate) number: u32,
    pub(crate) payload: Payload<'a>,
    pub(crate) end: usize,
}

#[inline(always)]
pub(crate) fn varint(buf: &[u8], pos: usize) -> Result<(u64, usize), Malformed> {
    match buf.get(pos) {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), pos + 1)),
        Some(_) => varint_slow(buf, pos),
        None => Err(Malformed::new(pos, Reason::Truncated)),
    }
}

fn varint_slow(buf: &[u8], start: usize) -> Result<(u64, usize), Malformed> {
    let mut value = 0u64;
    for index in 0..10 {
        let Some(&byte) = buf.get(start + index) else {
            return Err(Malformed::new(start, Reason::Truncated));
        };
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, start + index + 1));
        }
    }
    Err(Malformed::new(start, Reason::VarintTooLong))
}

/// Reads the field that begins at `pos`. The offset in an error is relative to `buf`.
#[inline(always)]
pub(crate) fn field(buf: &[u8], pos: usize) -> Result<RawField<'_>, Malformed> {
    let (tag, after_tag) = varint(buf, pos)?;
    let number = tag >> 3;
    if number == 0 || number > 0x1fff_ffff {
        return Err(Malformed::new(pos, Reason::FieldNumber));
    }
    let truncated = || Malformed::new(pos, Reason::Truncated);
    let (payload, end) = match tag & 7 {
        2 => {
            let (len, body) = varint(buf, after_tag)?;
            let end = usize::try_from(len).ok().and_then(|len| body.checked_add(len)).ok_or_else(truncated)?;
            (Payload::Bytes(buf.get(body..end).ok_or_else(truncated)?), end)
        }
        0 => {
            let (value, end) = varint(buf, after_tag)?;
            (Payload::Varint(value), end)
        }
        1 => {
            let bytes = buf.get(after_tag..).and_then(|rest| rest.first_chunk::<8>()).ok_or_else(truncated)?;
            (Payload::Fixed64(u64::from_le_bytes(*bytes)), after_tag + 8)
        }
        5 => {
            let bytes = buf.get(after_tag..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(truncated)?;
            (Payload::Fixed32(u32::from_le_bytes(*bytes)), after_tag + 4)
        }
        _ => return Err(Malformed::new(pos, Reason::WireType)),
    };
    Ok(RawField { number: number as u32, payload, end })
}

/// The bytes of a field at the beginning of `rest` and what follows it, where it is that field (one of the first fifteen) and shorter
/// than 128 bytes.
#[inline(always)]
pub(crate) fn short_bytes(rest: &[u8], number: u32) -> Option<(&[u8], &[u8])> {
    match rest {
        [tag, len @ 0..0x80, tail @ ..] if u32::from(*tag) == number << 3 | 2 => {
            tail.split_at_checked(usize::from(*len))
        }
        _ => None,
    }
}

/// The field at the beginning of `rest` and what follows it, where it is written as nearly all fields of spans are: a tag of one byte
/// (or two, for a span's flags), a length of one or two, a number of one.
#[inline(always)]
pub(crate) fn plain_field(rest: &[u8]) -> Option<(u32, Payload<'_>, &[u8])> {
    match rest {
        [tag @ 0x08..0x80, tail @ ..] => {
            let number = u32::from(tag >> 3);
            match (tag & 7, tail) {
                (2, [len @ 0..0x80, tail @ ..]) => {
                    let (body, rest) = tail.split_at_checked(usize::from(*len))?;
                    Some((number, Payload::Bytes(body), rest))
                }
                (2, [low @ 0x80..=0xff, high @ 0..0x80, tail @ ..]) => {
                    let len = usize::from(*low & 0x7f) | usize::from(*high) << 7;
                    let (body, rest) = tail.split_at_checked(len)?;
                    Some((number, Payload::Bytes(body), rest))
                }
                (1, tail) => {
                    let (word, rest) = tail.split_first_chunk::<8>()?;
                    Some((number, Payload::Fixed64(u64::from_le_bytes(*word)), rest))
                }
                (0, [value @ 0..0x80, rest @ ..]) => Some((number, Payload::Varint(u64::from(*value)), rest)),
                _ => None,
            }
        }
        [0x85, 0x01, tail @ ..] => {
            let (word, rest) = tail.split_first_chunk::<4>()?;
            Some((16, Payload::Fixed32(u32::from_le_bytes(*word)), rest))
        }
        _ => None,
    }
}

/// Appends a field, tag included.
pub fn put_field(out: &mut Vec<u8>, number: u32, payload: Payload<'_>) {
    let tag = u64::from(number) << 3;
    match payload {
        Payload::Varint(value) => {
            put_varint(out, tag);
            put_varint(out, value);
        }
        Payload::Fixed64(value) => {
            put_varint(out, tag | 1);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Payload::Bytes(bytes) => {
            put_varint(out, tag | 2);
            put_varint(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Payload::Fixed32(value) => {
            put_varint(out, tag | 5);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    if value < 0x80 {
        return 1;
    }
    // Seven bits a byte; `| 1` makes zero count as one bit.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Encoded size of a length-delimited field with a body of `len` bytes and a one-byte tag.
pub(crate) fn delimited_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Writes a length-delimited field. `tag` is the encoded tag byte.
#[inline]
pub(crate) fn put_delimited(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    if body.len() < 0x80 {
        out.extend_from_slice(&[tag, body.len() as u8]);
    } else {
        out.push(tag);
        put_varint(out, body.len() as u64);
    }
    out.extend_from_slice(body);
}
