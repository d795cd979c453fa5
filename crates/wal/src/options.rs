//! How a log is kept.

use std::time::Duration;

use crate::frame;

/// How a log is kept. All sizes are in bytes.
#[derive(Debug, Clone)]
pub struct Options {
    /// When what is written is forced to the disk. Default [`Fsync::Always`].
    pub fsync: Fsync,
    /// Size of a segment, 64 MiB by default; at most a quarter of `max_bytes` is used. A larger record gets a segment of its
    /// own size.
    pub segment_bytes: u64,
    /// All segments together take at most this, 4 GiB by default. A log that is full refuses appends until its readers have
    /// committed; nothing is dropped. Quarantined segments are not counted.
    pub max_bytes: u64,
    /// The longest payload, 65 MiB by default (a request of 64 MiB and what is kept beside it); at most 1 GiB and half of
    /// `max_bytes` are used. Lowering it does not make older records unreadable.
    pub max_record_bytes: u64,
    /// Segments whose newest record is older than this are dropped, read or not, and what was not committed is counted for
    /// each cursor. `None` by default: nothing is dropped. Ages are by the wall clock, to the precision of a tenth of this.
    pub max_age: Option<Duration>,
    /// Payloads that are on their way to the disk take at most this, 64 MiB by default; further appends wait.
    pub max_pending_bytes: u64,
    /// So many bytes of the payloads written last stay in memory while somebody reads, 8 MiB by default: a reader that is no further
    /// behind takes them from there instead of from files.
    pub recent_bytes: u64,
}

/// When what is written is forced to the disk.
///
/// | policy | process crash, kill -9 | power loss, kernel crash |
/// |---|---|---|
/// | `Always` | every acknowledged record survives | every acknowledged record survives |
/// | `Interval` | every acknowledged record survives | the records of the last interval may be lost |
/// | `Never` | every acknowledged record survives | what the kernel had not written may be lost, usually the last 30 s |
///
/// Segments, cursors and directory entries are created durably whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// Every group of records is followed by one `fdatasync` before any of them is acknowledged.
    #[default]
    Always,
    /// Records are acknowledged when the kernel has them; they are forced to the disk at least this often.
    Interval(Duration),
    /// Records are acknowledged when the kernel has them. Only a change of segment and a clean close force them to the disk.
    Never,
}

/// The options as they are applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) fsync: Fsync,
    pub(crate) segment_bytes: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_record_bytes: u64,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_pending_bytes: u32,
    pub(crate) recent_bytes: u64,
}

/// Smaller segments would be headers for the most part.
const MIN_SEGMENT_BYTES: u64 = 1 << 10;

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            fsync: Fsync::Always,
            segment_bytes: 64 << 20,
            max_bytes: 4 << 30,
            max_record_bytes: 65 << 20,
            max_age: None,
            max_pending_bytes: 64 << 20,
            recent_bytes: 8 << 20,
        }
    }
}

// === impl Fsync ===

impl Fsync {
    /// The usual interval, 200 ms.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(200);
}

// === impl Limits ===

impl From<&Options> for Limits {
    fn from(options: &Options) -> Self {
        let max_bytes = options.max_bytes.max(4 * MIN_SEGMENT_BYTES);
        // The segment being written is never removed: with it and one more of the longest record, the log must not be full.
        let longest = (max_bytes / 2).saturating_sub(frame::OVERHEAD).min(frame::MAX_PAYLOAD);
        Self {
            fsync: options.fsync,
            segment_bytes: options.segment_bytes.min(max_bytes / 4).max(MIN_SEGMENT_BYTES),
            max_bytes,
            max_record_bytes: options.max_record_bytes.min(longest),
            max_age: options.max_age,
            max_pending_bytes: u32::try_from(options.max_pending_bytes).unwrap_or(u32::MAX).clamp(1, MAX_PERMITS),
            recent_bytes: options.recent_bytes,
        }
    }
}

/// As many permits as a semaphore can have on every platform.
const MAX_PERMITS: u32 = u32::MAX >> 3;
