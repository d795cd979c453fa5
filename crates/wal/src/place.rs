//! Where a reader stands in a segment.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::files::{File, read_full};
use crate::frame::{self, Frame, Parsed};
use crate::record::{Record, Seq};
use crate::segment::HEADER_BYTES;
use crate::window::{SEARCH_BYTES, Spot};

/// Where a reader stands in a segment.
#[derive(Debug)]
pub(crate) struct Place {
    /// The first number of the segment.
    pub(crate) first: Seq,
    /// The number of the record that comes next.
    pub(crate) expected: Seq,
    /// Where it begins.
    pub(crate) offset: u64,
    /// Nothing is read behind this.
    pub(crate) limit: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
    pub(crate) salt: u32,
    pub(crate) file: Arc<dyn File>,
    /// So many bytes may be read in search of good records behind bad ones.
    pub(crate) budget: u64,
    /// Bytes from `offset` on.
    buffer: Bytes,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step {
    Record(Record),
    /// So many bytes are needed.
    Read(usize),
    End,
    Damage,
}

/// So much is read at once, and more for a longer record.
const CHUNK: usize = 512 << 10;

// === impl Place ===

impl Place {
    /// At the first record; nothing may be read yet.
    pub(crate) fn new(file: Arc<dyn File>, bytes: u64, first: Seq, salt: u32) -> Self {
        let (offset, limit, buffer, budget) = (HEADER_BYTES, HEADER_BYTES, Bytes::new(), SEARCH_BYTES);
        Self { first, expected: first, offset, limit, bytes, salt, file, budget, buffer }
    }

    /// Goes on with a record that is known to begin there.
    pub(crate) fn skip(&mut self, to: Spot) {
        (self.offset, self.limit, self.expected) = (to.offset, to.offset, to.seq);
        self.buffer = Bytes::new();
    }

    /// Where it stands.
    pub(crate) fn spot(&self) -> Spot {
        Spot { seq: self.expected, offset: self.offset }
    }

    /// Takes the next record out of the buffer, or tells why there is none.
    pub(crate) fn step(&mut self) -> Step {
        let readable = self.limit.saturating_sub(self.offset);
        if readable < frame::HEADER as u64 {
            return Step::End;
        }
        let Some(header) = self.buffer.first_chunk() else { return Step::Read(frame::HEADER) };
        let frame = match Frame::parse(header) {
            Parsed::Frame(frame) if frame.seq == self.expected => frame,
            Parsed::End => return Step::End,
            _ => return Step::Damage,
        };
        let needed = frame::HEADER + frame.payload as usize;
        if needed as u64 > readable {
            return Step::Damage;
        }
        let Some(payload) = self.buffer.get(frame::HEADER..needed) else { return Step::Read(needed) };
        if crc32c::crc32c_append(frame.checksum_start(self.salt), payload) != frame.crc {
            return Step::Damage;
        }
        let payload = self.buffer.slice(frame::HEADER..needed);
        let padded = usize::try_from(frame.size()).unwrap_or(usize::MAX);
        self.buffer.advance(padded.min(self.buffer.len()));
        self.offset += frame.size();
        self.expected = frame.seq.next();
        Step::Record(Record { seq: frame.seq, kind: frame.kind, payload })
    }

    /// What [`Place::read`] needs to work on another thread.
    pub(crate) fn source(&self, wanted: usize) -> (Arc<dyn File>, u64, usize) {
        let readable = usize::try_from(self.limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        (Arc::clone(&self.file), self.offset, wanted.max(CHUNK).min(readable))
    }

    /// Reads so many bytes or what there is.
    pub(crate) fn read((file, offset, wanted): (Arc<dyn File>, u64, usize)) -> io::Result<Bytes> {
        let mut buffer = vec![0; wanted];
        let read = read_full(&*file, &mut buffer, offset)?;
        buffer.truncate(read);
        Ok(buffer.into())
    }

    /// Tells whether the bytes suffice.
    pub(crate) fn refill(&mut self, buffer: Bytes, wanted: usize) -> bool {
        self.buffer = buffer;
        self.buffer.len() >= wanted
    }
}
