//! The segments of a log, from the oldest to the one being written.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::record::Seq;
use crate::segment::{Header, Kind};

/// The segments of a log, from the oldest to the one being written.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    list: VecDeque<Segment>,
}

/// One segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) header: Header,
    pub(crate) path: PathBuf,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// The number after its last record; `None` for the one being written.
    pub(crate) end: Option<Seq>,
    /// It was set aside: what is damaged in it is left out.
    pub(crate) damaged: bool,
    /// When its last record was written, at the latest.
    pub(crate) newest: Duration,
}

// === impl Segment ===

impl Segment {
    /// The one that will be written.
    pub(crate) fn begun(header: Header, dir: &Path, bytes: u64) -> Self {
        let path = Kind::Segment(header.first).path(dir);
        Self { header, path, bytes, end: None, damaged: false, newest: header.created }
    }

    /// One that is not written any more.
    pub(crate) fn finished(header: Header, path: PathBuf, bytes: u64, end: Seq, damaged: bool) -> Self {
        Self { header, path, bytes, end: Some(end), damaged, newest: header.created }
    }

    /// Whether it was set aside and has no good record of that number or above.
    pub(crate) fn ends_by(&self, seq: Seq) -> bool {
        self.damaged && self.end.is_some_and(|end| seq >= end)
    }
}

// === impl Segments ===

impl Segments {
    pub(crate) fn push(&mut self, segment: Segment) {
        self.list.push_back(segment);
    }

    /// Ends the segment being written.
    pub(crate) fn seal(&mut self, end: Seq, newest: Duration) {
        if let Some(last) = self.list.back_mut().filter(|last| last.end.is_none()) {
            last.end = Some(end);
            last.newest = newest;
        }
    }

    /// Forgets the segment being written.
    pub(crate) fn drop_last(&mut self) {
        self.list.pop_back();
    }

    /// Bytes that count towards the limit.
    pub(crate) fn bytes(&self) -> u64 {
        self.list.iter().filter(|segment| !segment.damaged).map(|segment| segment.bytes).sum()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The number of the oldest record that may be there.
    pub(crate) fn oldest(&self) -> Seq {
        self.list.front().map_or(Seq::FIRST, |segment| segment.header.first)
    }

    /// The segment that has a record or, where that is gone, the next one.
    pub(crate) fn at(&self, seq: Seq) -> Option<&Segment> {
        self.list.iter().find(|segment| segment.end.is_none_or(|end| end > seq))
    }

    pub(crate) fn get(&self, first: Seq) -> Option<&Segment> {
        self.list.iter().find(|segment| segment.header.first == first)
    }

    pub(crate) fn get_mut(&mut self, first: Seq) -> Option<&mut Segment> {
        self.list.iter_mut().find(|segment| segment.header.first == first)
    }

    /// The segment after this one.
    pub(crate) fn after(&self, first: Seq) -> Option<&Segment> {
        self.list.iter().find(|segment| segment.header.first > first)
    }

    /// Whether it was set aside.
    pub(crate) fn mark(&mut self, first: Seq, damaged: bool) {
        if let Some(segment) = self.get_mut(first) {
            segment.damaged = damaged;
        }
    }

    /// Takes the oldest segment out if it is finished and the caller wants it.
    pub(crate) fn take_oldest(&mut self, wanted: impl FnOnce(&Segment, Seq) -> bool) -> Option<Segment> {
        let oldest = self.list.front()?;
        let end = oldest.end?;
        if wanted(oldest, end) { self.list.pop_front() } else { None }
    }
}
