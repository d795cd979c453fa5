//! Reads a segment from front to back, record by record, and searches for good ones behind bad ones.

use std::io;

use crate::files::{File, read_full};
use crate::frame::{self, Frame, Parsed};
use crate::record::Seq;

/// Reads a segment from front to back through a buffer.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    file: &'a dyn File,
    pub(crate) len: u64,
    salt: u32,
    buffer: Vec<u8>,
    at: u64,
    /// So many bytes may still be read in searches.
    pub(crate) budget: u64,
}

/// A place where a record begins or should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Its number.
    pub(crate) seq: Seq,
    pub(crate) offset: u64,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Record(Spot),
    Nothing,
    /// There was too much that looked like records.
    TooMuch,
}

/// So much is read at most in search of good records behind bad ones: what a client sent may look like the beginnings of very many
/// records.
pub(crate) const SEARCH_BYTES: u64 = 256 << 20;

const BUFFER: usize = 256 << 10;

// === impl Window ===

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a dyn File, salt: u32, budget: u64) -> io::Result<Self> {
        Ok(Self { file, len: file.len()?, salt, buffer: Vec::new(), at: 0, budget })
    }

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

    pub(crate) fn frame(&mut self, offset: u64) -> io::Result<Parsed> {
        let header = self.bytes(offset, frame::HEADER)?.first_chunk();
        Ok(header.map_or(Parsed::End, Frame::parse))
    }

    /// The place behind the good records that stand one after another from a place on.
    pub(crate) fn follow(&mut self, mut spot: Spot) -> io::Result<Spot> {
        while let Parsed::Frame(frame) = self.frame(spot.offset)?
            && frame.seq == spot.seq
            && self.holds(&frame, spot.offset)?
        {
            spot = Spot { seq: spot.seq.next(), offset: spot.offset + frame.size() };
        }
        Ok(spot)
    }

    /// Whether the record with this beginning is complete and its checksum is right.
    fn holds(&mut self, frame: &Frame, offset: u64) -> io::Result<bool> {
        let mut at = offset + frame::HEADER as u64;
        let end = at + u64::from(frame.payload);
        if end > self.len {
            return Ok(false);
        }
        let mut crc = frame.checksum_start(self.salt);
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

    /// The place after the last byte that is not 0; `from` if there is none.
    pub(crate) fn last_non_zero(&mut self, from: u64) -> io::Result<u64> {
        let (mut at, mut last) = (from, from);
        while at < self.len {
            let bytes = self.bytes(at, 1)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(place) = bytes.iter().rposition(|byte| *byte != 0) {
                last = at + place as u64 + 1;
            }
            at += bytes.len() as u64;
        }
        Ok(last)
    }

    /// The first good record behind a bad one that the caller wants. Nothing that a client sent passes for one: checksums begin with the salt.
    pub(crate) fn search(&mut self, bad: Spot, wanted: impl Fn(&Frame) -> bool) -> io::Result<Found> {
        // Most often the beginning of the bad one is good, and says where the next one is.
        if let Parsed::Frame(frame) = self.frame(bad.offset)?
            && frame.seq == bad.seq
            && let offset = bad.offset + frame.size()
            && let Parsed::Frame(after) = self.frame(offset)?
            && after.seq == bad.seq.next()
            && wanted(&after)
            && self.holds(&after, offset)?
        {
            return Ok(Found::Record(Spot { seq: after.seq, offset }));
        }
        let mut offset = bad.offset + frame::ALIGN;
        while offset + (frame::HEADER as u64) <= self.len {
            if let Parsed::Frame(frame) = self.frame(offset)?
                && frame.seq > bad.seq
                && frame.seq.get() - bad.seq.get() <= (offset - bad.offset) / frame::size(0)
                && offset + frame.size() <= self.len
                && wanted(&frame)
            {
                let Some(left) = self.budget.checked_sub(frame.size() + BUFFER as u64) else {
                    return Ok(Found::TooMuch);
                };
                self.budget = left;
                if self.holds(&frame, offset)? {
                    return Ok(Found::Record(Spot { seq: frame.seq, offset }));
                }
            }
            offset += frame::ALIGN;
        }
        Ok(Found::Nothing)
    }
}
