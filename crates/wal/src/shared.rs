//! What the handles, the readers and the writer's thread share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use crate::clock::Clock;
use crate::cursor::Cursor;
use crate::error::{AppendError, Failure};
use crate::files::Files;
use crate::options::Limits;
use crate::recent::Recent;
use crate::record::Seq;
use crate::segments::Segments;
use crate::stats::{Counters, CursorStats, Stats};
use crate::window::Spot;

/// What the handles, the readers and the writer's thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Counters,
    pub(crate) recent: Recent,
    /// Locked after `cursors` where both are.
    segments: Mutex<Segments>,
    cursors: Mutex<BTreeMap<String, Arc<Cursor>>>,
    pub(crate) tail: watch::Sender<Tail>,
    pub(crate) requests: Sender<Request>,
}

/// The end of what may be read.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    /// The number of the next record.
    pub(crate) next: Seq,
    /// The first number of the segment being written.
    pub(crate) segment: Seq,
    /// Where its next record will begin.
    pub(crate) offset: u64,
    pub(crate) state: State,
}

/// Whether more will come.
#[derive(Debug, Clone)]
pub(crate) enum State {
    Open,
    Failed(Failure),
    Closed,
}

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    Append(Append),
    /// A cursor moved or went: segments may be unused now.
    Collect,
    /// A reader found damage.
    Damaged {
        segment: Seq,
        bad: Spot,
        done: oneshot::Sender<bool>,
    },
    /// Look at the ages now.
    #[cfg(test)]
    Expire {
        done: oneshot::Sender<()>,
    },
    Close,
}

/// A record on its way to the disk.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) kind: u8,
    pub(crate) parts: Vec<Bytes>,
    pub(crate) bytes: u64,
    pub(crate) acknowledge: oneshot::Sender<Result<Seq, AppendError>>,
    /// Its share of what may be on the way.
    pub(crate) permit: OwnedSemaphorePermit,
}

// === impl Shared ===

impl Shared {
    #[allow(clippy::too_many_arguments, reason = "it has so many parts, and is made in one place")]
    pub(crate) fn new(
        dir: PathBuf,
        limits: Limits,
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        counters: Counters,
        segments: Segments,
        cursors: BTreeMap<String, Arc<Cursor>>,
        tail: Tail,
        requests: Sender<Request>,
    ) -> Self {
        Self {
            dir,
            limits,
            files,
            clock,
            counters,
            recent: Recent::new(limits.recent_bytes),
            segments: Mutex::new(segments),
            cursors: Mutex::new(cursors),
            tail: watch::Sender::new(tail),
            requests,
        }
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cursors(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Cursor>>> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the writer; a writer that is gone needs not be told.
    pub(crate) fn request(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    pub(crate) fn stats(&self) -> Stats {
        let next = self.tail.borrow().next;
        let cursors = self.cursors().values().map(|cursor| cursor.stats(next)).collect::<Vec<CursorStats>>();
        let (bytes, segments) = {
            let segments = self.segments();
            (segments.bytes(), segments.len())
        };
        let counters = &self.counters;
        Stats {
            appended_records: counters.appended_records.get(),
            appended_bytes: counters.appended_bytes.get(),
            fsyncs: counters.fsyncs.get(),
            bytes_on_disk: bytes + counters.spare_bytes.get(),
            segments: segments as u64,
            lost_bytes: counters.lost_bytes.get(),
            lost_records: counters.lost_records.get(),
            quarantined_segments: counters.quarantined_segments.get(),
            cursors,
        }
    }
}
