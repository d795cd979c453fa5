//! The segment being written, and how the next one takes its place.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::damage::Damage;
use crate::error::{AppendError, Failure};
use crate::files::File;
use crate::frame::{self, Frame};
use crate::helper::{Filling, Helper};
use crate::options::Fsync;
use crate::record::Seq;
use crate::segment::{self, HEADER_BYTES, Header, Kind, Spare};
use crate::segments::Segment;
use crate::shared::Shared;

/// The segment being written.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) file: Arc<dyn File>,
    pub(crate) header: Header,
    /// Where the next record begins.
    pub(crate) offset: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// How often it was synced.
    pub(crate) syncs: u64,
}

/// The segment that will be next.
#[derive(Debug)]
pub(crate) struct Reserve {
    helper: Helper,
    state: Reserved,
    /// Why and when the last attempt failed, by the wall clock: a full disk is not filled over and over.
    failed: Option<(Failure, Duration)>,
}

#[derive(Debug)]
enum Reserved {
    Nothing,
    Coming(u64),
    Ready(Spare),
}

/// Records that are written together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    records: Vec<(Frame, Vec<Bytes>)>,
    pub(crate) bytes: u64,
}

/// Groups of fewer bytes are small. What a sync writes of metadata takes the disk as long as about 64 KiB.
const SMALL_GROUP: u64 = 128 << 10;

/// Between two attempts to make a segment when one has failed.
const PAUSE: Duration = Duration::from_secs(1);

// === impl Group ===

impl Group {
    pub(crate) fn push(&mut self, frame: Frame, parts: Vec<Bytes>) {
        self.bytes += frame.size();
        self.records.push((frame, parts));
    }

    /// Empties it.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Frame, Vec<Bytes>)> + '_ {
        self.bytes = 0;
        self.records.drain(..)
    }
}

// === impl Active ===

impl Active {
    /// Whether records of so many bytes fit behind what was written.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        self.offset + bytes <= self.bytes
    }

    /// Whether it is time to think of the next one.
    pub(crate) fn is_half_full(&self) -> bool {
        self.offset >= self.bytes / 2
    }

    /// Whether zeros ahead would pay: where groups are small, each sync has more metadata than records to write.
    pub(crate) fn filling(&self) -> Filling {
        if self.offset / self.syncs.max(1) < SMALL_GROUP { Filling::Zeros } else { Filling::Nothing }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.offset == HEADER_BYTES
    }

    /// Writes a group with one call.
    pub(crate) fn write(&mut self, group: &Group) -> Result<(), Failure> {
        const PADDING: [u8; frame::ALIGN as usize] = [0; frame::ALIGN as usize];
        let headers = group.records.iter().map(|(frame, _)| frame.to_bytes()).collect::<Vec<_>>();
        let mut slices = Vec::with_capacity(3 * headers.len());
        for (header, (frame, parts)) in headers.iter().zip(&group.records) {
            slices.push(IoSlice::new(header));
            slices.extend(parts.iter().filter(|part| !part.is_empty()).map(|part| IoSlice::new(part)));
            let padding = frame.size() - frame::HEADER as u64 - u64::from(frame.payload);
            slices.extend(PADDING.get(..padding as usize).filter(|padding| !padding.is_empty()).map(IoSlice::new));
        }
        self.file.write_at(&mut slices, self.offset).map_err(|error| Failure::new("write", &self.path(), error))?;
        self.offset += group.bytes;
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        self.syncs += 1;
        self.file.sync().map_err(|error| Failure::new("fdatasync", &self.path(), error))
    }

    fn path(&self) -> std::path::PathBuf {
        Kind::Segment(self.header.first).name().into()
    }

    /// Begins the segment after this one with a spare, and enters it in the list. `newest` is when this one was last written to.
    ///
    /// One that is empty has the same number, and is replaced.
    pub(crate) fn followed_by(
        &self,
        shared: &Shared,
        spare: Spare,
        next: Seq,
        newest: Duration,
    ) -> Result<Self, Failure> {
        let now = shared.clock.now();
        let header = Header::new(
            next,
            if self.is_empty() { self.header.follows } else { next },
            now,
            shared.limits.fsync != Fsync::Always,
        );
        let header = segment::install(&*shared.files, &shared.dir, &spare, header)?;
        let mut segments = shared.segments();
        if self.is_empty() {
            segments.drop_last();
        }
        segments.seal(next, newest);
        segments.push(Segment::begun(header, &shared.dir, spare.bytes));
        Ok(Self { file: spare.file, header, offset: HEADER_BYTES, bytes: spare.bytes, syncs: 0 })
    }
}

// === impl Reserve ===

impl Reserve {
    pub(crate) fn new(helper: Helper, spare: Option<Spare>) -> Self {
        Self { helper, state: spare.map_or(Reserved::Nothing, Reserved::Ready), failed: None }
    }

    /// Asks for the next segment if there is none and the limit has room for one. Asked early, it could not be one that
    /// becomes free in time.
    pub(crate) fn refill(&mut self, shared: &Shared, filling: Filling) {
        let bytes = shared.limits.segment_bytes;
        let has_room = shared.segments().bytes() + bytes <= shared.limits.max_bytes;
        if matches!(self.state, Reserved::Nothing) && has_room && self.has_just_failed(shared).is_none() {
            self.ask(shared, bytes, filling);
        }
    }

    fn ask(&mut self, shared: &Shared, bytes: u64, filling: Filling) {
        shared.counters.spare_bytes.set(bytes);
        self.state = Reserved::Coming(bytes);
        self.helper.prepare(bytes, filling);
    }

    /// A spare segment of so many bytes at least.
    ///
    /// # Errors
    ///
    /// When the log is full, or none can be made.
    pub(crate) fn take(&mut self, shared: &Shared, bytes: u64) -> Result<Spare, AppendError> {
        let wanted = bytes.max(shared.limits.segment_bytes);
        let used = shared.segments().bytes();
        if used + wanted > shared.limits.max_bytes {
            return Err(AppendError::Full { used, limit: shared.limits.max_bytes, wanted });
        }
        if let Some(failure) = self.has_just_failed(shared) {
            return Err(AppendError::NoSegment(failure));
        }
        let is_wide = match self.state {
            Reserved::Ready(Spare { bytes, .. }) | Reserved::Coming(bytes) => bytes >= wanted,
            Reserved::Nothing => false,
        };
        // One that is too small is replaced: its name is taken over. One that was asked for early may have failed long ago.
        if self.settle(shared).is_err() || !is_wide {
            self.ask(shared, wanted, Filling::Nothing);
            self.settle(shared).map_err(AppendError::NoSegment)?;
        }
        match std::mem::replace(&mut self.state, Reserved::Nothing) {
            Reserved::Ready(spare) => {
                shared.counters.spare_bytes.set(0);
                Ok(spare)
            }
            other => {
                self.state = other;
                Err(AppendError::Closed)
            }
        }
    }

    fn has_just_failed(&self, shared: &Shared) -> Option<Failure> {
        let (failure, at) = self.failed.as_ref()?;
        (shared.clock.now() < *at + PAUSE).then(|| failure.clone())
    }

    /// Waits for a spare that is coming.
    fn settle(&mut self, shared: &Shared) -> Result<(), Failure> {
        let Reserved::Coming(_) = self.state else { return Ok(()) };
        self.state = Reserved::Nothing;
        match self.helper.spare() {
            Some(Ok(spare)) => {
                self.failed = None;
                self.state = Reserved::Ready(spare);
            }
            Some(Err(error)) => {
                shared.counters.spare_bytes.set(0);
                self.failed = Some((error.clone(), shared.clock.now()));
                return Err(error);
            }
            None => {}
        }
        Ok(())
    }

    /// Removes segments, or keeps one of them to be the next.
    pub(crate) fn recycle(&mut self, shared: &Shared, mut segments: Vec<Segment>) {
        let bytes = shared.limits.segment_bytes;
        if matches!(self.state, Reserved::Nothing)
            && let Some(place) = segments.iter().position(|segment| segment.bytes == bytes)
        {
            shared.counters.spare_bytes.set(bytes);
            self.state = Reserved::Coming(bytes);
            self.helper.reuse(segments.swap_remove(place).path, bytes);
        }
        self.remove(segments);
    }

    pub(crate) fn remove(&self, segments: Vec<Segment>) {
        self.helper.remove(segments.into_iter().map(|segment| segment.path).collect());
    }

    /// Has what is lost counted.
    pub(crate) fn count(&self, damage: Damage, shared: &Arc<Shared>) {
        self.helper.count(damage, shared);
    }

    pub(crate) fn stop(self) {
        self.helper.stop();
    }
}
