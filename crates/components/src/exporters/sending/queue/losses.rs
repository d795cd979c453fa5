//! What a log has lost, as counters: its own numbers begin anew with each start.

use std::sync::{Mutex, PoisonError};

use prometheus::IntCounter;
use spanmill_pipeline::Context;
use spanmill_wal::Stats;

/// Counters beside what of them was counted already.
#[derive(Debug)]
pub(super) struct Losses {
    records: IntCounter,
    segments: IntCounter,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    records: u64,
    segments: u64,
}

// === impl Losses ===

impl Losses {
    pub(super) fn new(context: &Context<'_>, kind: &'static str) -> Self {
        let id = context.id.to_string();
        let counter = |name: &str, help: &str| {
            context.telemetry.counter(&format!("spanmill_{kind}_queue_{name}"), help, &[(kind, &id)])
        };
        Self {
            records: counter("lost_records", "Number of requests in the queue that were lost to damage on disk."),
            segments: counter("quarantined_segments", "Number of files of the queue that were set aside as damaged."),
            seen: Mutex::default(),
        }
    }

    /// Counts what has been lost since the last time.
    pub(super) fn look(&self, stats: &Stats) {
        let now = Seen { records: stats.lost_records, segments: stats.quarantined_segments };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.records.inc_by(now.records.saturating_sub(seen.records));
        self.segments.inc_by(now.segments.saturating_sub(seen.segments));
        *seen = now;
    }
}
