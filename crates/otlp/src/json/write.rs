//! Protobuf to JSON, in the field order of the table.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::schema::{Field, Kind, Label, Message};
use super::text::{put_display, put_double, put_hex, put_string};
use crate::error::{Malformed, Reason};
use crate::wire::{Payload, field, varint};

struct Writer<'a, 'o> {
    root: &'a [u8],
    out: &'o mut Vec<u8>,
    /// The fields of the messages being written, a run each.
    found: Vec<Found<'a>>,
}

#[derive(Clone, Copy)]
struct Found<'a> {
    /// Which of the message's fields it is.
    slot: usize,
    /// Where it begins in the request.
    at: usize,
    payload: Payload<'a>,
}

pub(super) fn request(
    message: &'static Message,
    encoded: &[u8],
    max_depth: u32,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    Writer { root: encoded, out, found: Vec::new() }.message(message, &[encoded], max_depth)
}

// === impl Writer ===

impl<'a> Writer<'a, '_> {
    /// Writes a message that consists of `bodies`: there are several where a field that should stand once was split.
    fn message(&mut self, message: &'static Message, bodies: &[&'a [u8]], depth: u32) -> Result<(), Malformed> {
        let depth = if message.nests {
            let at = bodies.first().map_or(0, |body| self.offset(body));
            depth.checked_sub(1).ok_or(Malformed::new(at, Reason::TooDeep))?
        } else {
            depth
        };
        let start = self.found.len();
        let alternative = self.collect(message, bodies)?;
        let end = self.found.len();
        self.out.push(b'{');
        let empty = self.out.len();
        let mut next = start;
        for (slot, known) in message.fields.iter().enumerate() {
            let first = next;
            while next < end && self.found.get(next).is_some_and(|found| found.slot == slot) {
                next += 1;
            }
            if first == next && known.label != Label::Always || known.label == Label::OneOf && alternative != Some(slot)
            {
                continue;
            }
            let before = self.out.len();
            if before > empty {
                self.out.push(b',');
            }
            put_string(self.out, known.name.as_bytes());
            self.out.push(b':');
            if !self.value(known, first..next, depth)? {
                self.out.truncate(before);
            }
        }
        self.out.push(b'}');
        self.found.truncate(start);
        Ok(())
    }

    /// Notes the known fields of a message in the order of its table; gives the alternative that counts.
    fn collect(&mut self, message: &'static Message, bodies: &[&'a [u8]]) -> Result<Option<usize>, Malformed> {
        let start = self.found.len();
        let mut alternative = None;
        for body in bodies {
            let mut pos = 0;
            while pos < body.len() {
                let base = self.offset(body);
                let read = field(body, pos).map_err(|error| Malformed::new(base + error.offset, error.reason))?;
                if let Some(slot) = message.fields.iter().position(|known| known.number == read.number) {
                    self.found.push(Found { slot, at: base + pos, payload: read.payload });
                    if message.fields.get(slot).is_some_and(|known| known.label == Label::OneOf) {
                        alternative = Some(slot);
                    }
                }
                pos = read.end;
            }
        }
        if let Some(found) = self.found.get_mut(start..) {
            found.sort_by_key(|found| found.slot);
        }
        Ok(alternative)
    }

    /// Writes the value of a field; says whether there is one to be written.
    fn value(
        &mut self,
        known: &'static Field,
        occurrences: std::ops::Range<usize>,
        depth: u32,
    ) -> Result<bool, Malformed> {
        if known.label == Label::Repeated {
            self.out.push(b'[');
            let empty = self.out.len();
            for at in occurrences {
                let Some(&found) = self.found.get(at) else { continue };
                self.element(known, found, empty, depth)?;
            }
            self.out.push(b']');
            return Ok(self.out.len() > empty + 1);
        }
        if let Kind::Message(message) = known.kind {
            let mut bodies = Vec::new();
            for at in occurrences {
                let Some(found) = self.found.get(at) else { continue };
                bodies.push(found.bytes()?);
            }
            self.message(message, &bodies, depth)?;
            return Ok(true);
        }
        let Some(&found) = occurrences.last().and_then(|at| self.found.get(at)) else { return Ok(false) };
        self.scalar(known, found, known.label == Label::Plain)
    }

    /// Writes an element of an array that began at `empty`; several where they are packed.
    fn element(&mut self, known: &'static Field, found: Found<'a>, empty: usize, depth: u32) -> Result<(), Malformed> {
        let comma = |out: &mut Vec<u8>| {
            if out.len() > empty {
                out.push(b',');
            }
        };
        match (known.kind, found.payload) {
            (Kind::Message(message), _) => {
                let body = found.bytes()?;
                comma(self.out);
                self.message(message, &[body], depth)
            }
            (kind, Payload::Bytes(packed)) if kind.is_packed() => {
                let base = self.offset(packed);
                let mut pos = 0;
                while pos < packed.len() {
                    let (payload, end) = packed_element(kind, packed, pos)
                        .map_err(|error| Malformed::new(base + error.offset, error.reason))?;
                    comma(self.out);
                    self.scalar(known, Found { payload, ..found }, false)?;
                    pos = end;
                }
                Ok(())
            }
            _ => {
                comma(self.out);
                self.scalar(known, found, false).map(drop)
            }
        }
    }

    /// Writes a scalar, unless it is the default and that is left out; says whether it was written.
    fn scalar(&mut self, known: &'static Field, found: Found<'a>, skip_default: bool) -> Result<bool, Malformed> {
        match (known.kind, found.payload) {
            (Kind::String, Payload::Bytes(text)) => {
                if skip_default && text.is_empty() {
                    return Ok(false);
                }
                put_string(self.out, text);
            }
            (Kind::Bytes, Payload::Bytes(bytes)) => {
                put_string(self.out, STANDARD.encode(bytes).as_bytes());
            }
            (Kind::Id(len), Payload::Bytes(id)) => {
                if id.iter().all(|byte| *byte == 0) {
                    return Ok(false);
                }
                if id.len() != len {
                    return Err(Malformed::new(found.at, Reason::IdLength));
                }
                self.out.push(b'"');
                put_hex(self.out, id);
                self.out.push(b'"');
            }
            (Kind::Double, Payload::Fixed64(bits)) => {
                let value = f64::from_bits(bits);
                if skip_default && value == 0.0 {
                    return Ok(false);
                }
                put_double(self.out, value);
            }
            (_, Payload::Varint(0) | Payload::Fixed64(0) | Payload::Fixed32(0)) if skip_default => return Ok(false),
            (Kind::Bool, Payload::Varint(value)) => put_display(self.out, value != 0),
            (Kind::Int32 | Kind::Enum(_), Payload::Varint(value)) => put_display(self.out, value as i32),
            (Kind::Sint32, Payload::Varint(value)) => {
                let value = value as u32;
                put_display(self.out, (value >> 1) as i32 ^ -((value & 1) as i32));
            }
            (Kind::Uint32, Payload::Varint(value)) => put_display(self.out, value as u32),
            (Kind::Fixed32, Payload::Fixed32(value)) => put_display(self.out, value),
            (Kind::Int64, Payload::Varint(value)) | (Kind::Sfixed64, Payload::Fixed64(value)) => {
                put_display(self.out, format_args!("\"{}\"", value as i64));
            }
            (Kind::Uint64, Payload::Varint(value)) | (Kind::Fixed64, Payload::Fixed64(value)) => {
                put_display(self.out, format_args!("\"{value}\""));
            }
            _ => return Err(Malformed::new(found.at, Reason::WrongWireType)),
        }
        Ok(true)
    }

    /// Where a part of the request begins.
    fn offset(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.root.as_ptr() as usize)
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::new(self.at, Reason::WrongWireType)),
        }
    }
}

fn packed_element(kind: Kind, packed: &[u8], pos: usize) -> Result<(Payload<'_>, usize), Malformed> {
    let truncated = || Malformed::new(pos, Reason::Truncated);
    let rest = packed.get(pos..).ok_or_else(truncated)?;
    match kind.wire_type() {
        0 => varint(packed, pos).map(|(value, end)| (Payload::Varint(value), end)),
        1 => {
            let bytes = rest.first_chunk::<8>().ok_or_else(truncated)?;
            Ok((Payload::Fixed64(u64::from_le_bytes(*bytes)), pos + 8))
        }
        _ => {
            let bytes = rest.first_chunk::<4>().ok_or_else(truncated)?;
            Ok((Payload::Fixed32(u32::from_le_bytes(*bytes)), pos + 4))
        }
    }
}
