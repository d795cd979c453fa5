//! The numbers of a cursor, which threads share without a lock. `tests/marks.rs` tries all orders in which threads may use them.

use super::atomic::{AtomicBool, AtomicU64, Ordering};

/// The numbers of a cursor.
#[derive(Debug)]
pub(crate) struct Marks {
    /// The first number that is not committed, as the disk has it or age has moved it: what is before may be removed.
    next: AtomicU64,
    /// What has been asked to be committed.
    wanted: AtomicU64,
    in_use: AtomicBool,
}

// === impl Marks ===

impl Marks {
    pub(crate) fn new(next: u64) -> Self {
        Self { next: AtomicU64::new(next), wanted: AtomicU64::new(next), in_use: AtomicBool::new(false) }
    }

    /// The first number that is not committed. The disk has it by then.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Whether the caller is the only reader now; what the one before did is seen.
    pub(crate) fn take(&self) -> bool {
        self.in_use.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn give_back(&self) {
        self.in_use.store(false, Ordering::Release);
    }

    /// Notes what is to be committed.
    pub(crate) fn want(&self, next: u64) {
        self.wanted.fetch_max(next, Ordering::AcqRel);
    }

    /// The number that is to be written, more than what was written already or `always`. Asked by one at a time.
    pub(crate) fn due(&self, always: bool) -> Option<u64> {
        let next = self.next();
        let wanted = self.wanted.load(Ordering::Acquire).max(next);
        (always || wanted > next).then_some(wanted)
    }

    /// Moves to a number that was written, or that age has come to, and says where it stood before. It never moves back.
    pub(crate) fn advance(&self, next: u64) -> u64 {
        self.next.fetch_max(next, Ordering::AcqRel)
    }
}
