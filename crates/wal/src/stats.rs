//! Numbers for telemetry.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::Seq;

/// Numbers of a log. Counters begin at 0 when it is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records that were acknowledged.
    pub appended_records: u64,
    /// Bytes of their payloads.
    pub appended_bytes: u64,
    /// How often records were forced to the disk.
    pub fsyncs: u64,
    /// Bytes that segments take now, the spare one included, quarantined ones not.
    pub bytes_on_disk: u64,
    /// Segments that are not consumed yet, the one being written included.
    pub segments: u64,
    /// Bytes of torn tails that were cut, of damaged records, and of segments whose header is damaged, unused ones included.
    pub lost_bytes: u64,
    /// Records that were damaged, as far as their number is known.
    pub lost_records: u64,
    /// Segments that were set aside because of damage.
    pub quarantined_segments: u64,
    /// For each cursor, by name.
    pub cursors: Vec<CursorStats>,
}

/// Numbers of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorStats {
    /// Its name.
    pub name: String,
    /// The first record that is not committed.
    pub next: Seq,
    /// How far it is behind the end of the log, in numbers.
    pub behind: u64,
    /// Records that were dropped because of their age before they were committed.
    pub expired_records: u64,
}

/// Counters that only rise.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended_records: Counter,
    pub(crate) appended_bytes: Counter,
    pub(crate) fsyncs: Counter,
    pub(crate) spare_bytes: Counter,
    pub(crate) lost_bytes: Counter,
    pub(crate) lost_records: Counter,
    pub(crate) quarantined_segments: Counter,
}

/// A number that threads share.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

// === impl Counter ===

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
