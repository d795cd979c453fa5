//! Finds where the valid part of a segment ends, and what stands behind it.

use std::io;

use crate::files::{File, read_full};
use crate::frame::{self, Frame, Parsed};
use crate::record::Seq;
use crate::segment::{HEADER_BYTES, Header};

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The number after the last good record.
    pub(crate) next: Seq,
    /// Where the valid part ends.
    pub(crate) end: u64,
    pub(crate) rest: Rest,
}

/// What stands behind the valid part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Zeros, or nothing.
    Clean,
    /// What an older segment left in the file.
    Old,
    /// The remains of a write that never came to an end, up to this place.
    Torn { until: u64 },
    /// Records that were acknowledged.
    Damage,
}

/// Reads a file from front to back through a buffer.
#[derive(Debug)]
struct Window<'a> {
    file: &'a dyn File,
    len: u64,
    buffer: Vec<u8>,
    at: u64,
}

const BUFFER: usize = 256 << 10;

/// So much is read at most in search of good records behind a bad one: what a client sent may look like the beginnings of very
/// many records. What was not searched counts as damage, of which nothing is thrown away.
const SEARCH_BYTES: u64 = 256 << 20;

/// Reads a whole segment. Memory does not depend on what it holds.
pub(crate) fn scan(file: &dyn File, header: &Header) -> io::Result<Scan> {
    let mut window = Window { file, len: file.len()?, buffer: Vec::new(), at: 0 };
    let (mut next, mut end) = (header.first, HEADER_BYTES);
    while let Some(frame) = window.record(header.salt, end)?.filter(|frame| frame.seq == next) {
        next = next.next();
        end += frame.size();
    }
    let rest = match window.last_non_zero(end)? {
        None => Rest::Clean,
        Some(_) if window.has_synced_record(header.salt, next, end)? => Rest::Damage,
        Some(until) if !header.reused => Rest::Torn { until },
        Some(until) => match window.frame(end)? {
            Parsed::Frame(frame) if frame.seq == next => Rest::Torn { until: until.min(end + frame.size()) },
            _ => Rest::Old,
        },
    };
    Ok(Scan { next, end, rest })
}

// === impl Window ===

impl Window<'_> {
    /// Bytes from an offset on, as many as the buffer has, at least `wanted` (no more than the buffer can have) unless the file
    /// ends.
    fn bytes(&mut self, offset: u64, wanted: usize) -> io::Result<&[u8]> {
        let buffered = offset.checked_sub(self.at).and_then(|skip| usize::try_from(skip).ok());
        let enough = |skip: &usize| self.buffer.len().saturating_sub(*skip) >= wanted;
        if let Some(skip) = buffered.filter(enough) {
            return Ok(self.buffer.get(skip..).unwrap_or_default());
        }
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(BUFFER).min(BUFFER);
        self.buffer.resize(rest, 0);
        self.at = offset;
        let read = read_full(self.file, &mut self.buffer, offset)?;
        self.buffer.truncate(read);
        Ok(&self.buffer)
    }

    fn frame(&mut self, offset: u64) -> io::Result<Parsed> {
        let header = self.bytes(offset, frame::HEADER)?.first_chunk();
        Ok(header.map_or(Parsed::End, Frame::parse))
    }

    /// The record at an offset, if it is complete and its checksum is right.
    fn record(&mut self, salt: u32, offset: u64) -> io::Result<Option<Frame>> {
        let Parsed::Frame(frame) = self.frame(offset)? else { return Ok(None) };
        Ok(self.holds(salt, &frame, offset)?.then_some(frame))
    }

    fn holds(&mut self, salt: u32, frame: &Frame, offset: u64) -> io::Result<bool> {
        let mut at = offset + frame::HEADER as u64;
        let end = at + u64::from(frame.payload);
        if end > self.len {
            return Ok(false);
        }
        let mut crc = frame.checksum_start(salt);
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(BUFFER).min(BUFFER);
            // What the buffer still has comes first; refilling it with every piece would read most bytes twice.
            let piece = self.bytes(at, 1)?;
            let piece = piece.get(..wanted.min(piece.len())).unwrap_or_default();
            if piece.is_empty() {
                return Ok(false);
            }
            crc = crc32c::crc32c_append(crc, piece);
            at += piece.len() as u64;
        }
        Ok(crc == frame.crc)
    }

    /// The place after the last byte that is not 0.
    fn last_non_zero(&mut self, from: u64) -> io::Result<Option<u64>> {
        let (mut at, mut last) = (from, None);
        while at < self.len {
            let bytes = self.bytes(at, 1)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(place) = bytes.iter().rposition(|byte| *byte != 0) {
                last = Some(at + place as u64 + 1);
            }
            at += bytes.len() as u64;
        }
        Ok(last)
    }

    /// Whether a record stands behind `from` that was written when all before it was durable.
    fn has_synced_record(&mut self, salt: u32, next: Seq, from: u64) -> io::Result<bool> {
        let mut budget = SEARCH_BYTES;
        let mut at = from + frame::ALIGN;
        while at + (frame::HEADER as u64) <= self.len {
            if let Parsed::Frame(frame) = self.frame(at)?
                && frame.flags & frame::SYNCED_BEFORE != 0
                && frame.seq > next
                && frame.seq.get() - next.get() <= (at - from) / frame::size(0)
                && at + frame.size() <= self.len
            {
                let Some(left) = budget.checked_sub(frame.size() + BUFFER as u64) else { return Ok(true) };
                budget = left;
                if self.holds(salt, &frame, at)? {
                    return Ok(true);
                }
            }
            at += frame::ALIGN;
        }
        Ok(false)
    }
}
