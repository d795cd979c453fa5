//! Records that were just written, for readers that keep up: what is still in memory need not be read back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::frame::Frame;
use crate::record::{Record, Seq};

/// The last records that were acknowledged, oldest first. They are kept while somebody reads.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Their payloads take at most so many bytes.
    most: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Written>,
    /// Size of their payloads.
    bytes: u64,
    readers: usize,
}

#[derive(Debug)]
struct Written {
    seq: Seq,
    kind: u8,
    parts: Vec<Bytes>,
    bytes: u64,
    end: Position,
}

/// Where a record ends: where a reader goes on that has taken it from here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The first number of the segment.
    pub(crate) segment: Seq,
    pub(crate) offset: u64,
}

// === impl Recent ===

impl Recent {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Somebody reads from now on.
    pub(crate) fn join(&self) {
        self.lock().readers += 1;
    }

    /// Somebody who read does so no more.
    pub(crate) fn leave(&self) {
        let mut kept = self.lock();
        kept.readers = kept.readers.saturating_sub(1);
        if kept.readers == 0 {
            kept.keep(0);
        }
    }

    /// Records that were written from an offset of a segment on, one behind the other.
    pub(crate) fn push(&self, from: Position, records: impl Iterator<Item = (Frame, Vec<Bytes>)>) {
        let mut kept = self.lock();
        if kept.readers == 0 {
            return;
        }
        let Position { segment, mut offset } = from;
        for (frame, parts) in records {
            offset += frame.size();
            let (bytes, end) = (u64::from(frame.payload), Position { segment, offset });
            kept.bytes += bytes;
            kept.records.push_back(Written { seq: frame.seq, kind: frame.kind, parts, bytes, end });
        }
        kept.keep(self.most);
    }

    /// The record of that number, if it is here, and where it ends. One reader alone takes it and those before it away.
    pub(crate) fn take(&self, seq: Seq) -> Option<(Record, Position)> {
        let mut kept = self.lock();
        let at = kept.records.binary_search_by_key(&seq, |written| written.seq).ok()?;
        if kept.readers > 1 {
            return kept.records.get(at).map(Written::record);
        }
        // Nobody else comes for this one and those before it.
        let taken = kept.records.drain(..=at).collect::<Vec<_>>();
        kept.bytes -= taken.iter().map(|written| written.bytes).sum::<u64>();
        taken.last().map(Written::record)
    }

    /// Nobody is to have the records before that one.
    pub(crate) fn forget(&self, before: Seq) {
        let mut kept = self.lock();
        while kept.records.front().is_some_and(|oldest| oldest.seq < before) {
            kept.drop_oldest();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    /// Forgets the oldest beyond so many bytes; with none wanted, those without any as well.
    fn keep(&mut self, most: u64) {
        while !self.records.is_empty() && (self.bytes > most || most == 0) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.records.pop_front() {
            self.bytes -= oldest.bytes;
        }
    }
}

// === impl Written ===

impl Written {
    fn record(&self) -> (Record, Position) {
        let payload = match self.parts.as_slice() {
            [whole] => whole.clone(),
            parts => parts.concat().into(),
        };
        (Record { seq: self.seq, kind: self.kind, payload }, self.end)
    }
}
