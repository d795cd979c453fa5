//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::record::Seq;

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another log of this one, has the directory.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// An operation on the directory or a file failed.
    #[error(transparent)]
    Io(#[from] Failure),
}

/// Why a record was not acknowledged.
///
/// A record whose append failed with [`AppendError::Failed`] or [`AppendError::Closed`] may nevertheless be found when the log
/// is opened again.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The log is full: try again when readers have committed.
    #[error("the log is full: {used} of {limit} bytes are used, {wanted} more are needed")]
    Full {
        /// Bytes that the segments take.
        used: u64,
        /// What they may take: `max_bytes`.
        limit: u64,
        /// Bytes of the segment that would be needed.
        wanted: u64,
    },
    /// No new segment could be made, as when the disk is full. Nothing was harmed: try again.
    #[error("no new segment: {0}")]
    NoSegment(#[source] Failure),
    /// The payload is longer than a record may be.
    #[error("a record of {bytes} bytes is longer than {limit}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: u64,
        /// What it may have: `max_record_bytes`.
        limit: u64,
    },
    /// A write or sync failed, now or before. What the disk holds is not known any more: end the process.
    #[error("the log has failed: {0}")]
    Failed(#[source] Failure),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

/// Why no record could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A segment could not be read. The reader stands where it was: it may be tried again.
    #[error(transparent)]
    Io(Failure),
    /// A damaged segment could not be set aside yet. The reader stands before the damage: it may be tried again.
    #[error("segment {segment} is damaged at byte {offset}, and no other one could be begun")]
    Damaged {
        /// The first number of the segment.
        segment: Seq,
        /// Where the damage begins.
        offset: u64,
    },
    /// The log has failed, and all records before that were read.
    #[error("the log has failed: {0}")]
    Failed(#[source] Failure),
    /// The log was closed, and all records were read.
    #[error("the log is closed")]
    Closed,
}

/// What went wrong with a cursor.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The name of a cursor has 1 to 80 bytes.
    #[error("`{0}` cannot be the name of a cursor: 1 to 80 bytes")]
    Name(String),
    /// A reader of this name exists.
    #[error("cursor `{0}` has a reader already")]
    InUse(String),
    /// The record was never written.
    #[error("record {seq} was not written yet: the next one is {next}")]
    Ahead {
        /// What was to be committed.
        seq: Seq,
        /// The number of the next record.
        next: Seq,
    },
    /// The file could not be written or removed. The old position holds: it may be tried again.
    #[error(transparent)]
    Io(#[from] Failure),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

/// An operation on a file that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} {}: {source}", path.display())]
pub struct Failure {
    operation: &'static str,
    path: PathBuf,
    source: Arc<io::Error>,
}

// === impl AppendError ===

impl AppendError {
    /// Whether the same append may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::NoSegment(_))
    }
}

// === impl Failure ===

impl Failure {
    pub(crate) fn new(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.into(), source: source.into() }
    }

    /// For `map_err`.
    pub(crate) fn of<'a>(operation: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::new(operation, path, source)
    }

    /// The kind of error that the operating system gave.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}
