//! How much a queue on disk holds, of how much it may.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts what is in the queue. What is counted may be wrong for a while: a client may go while its request is being written, so that
/// nobody knows whether it is there, and what is there may be lost to a damaged file. Whenever the queue is empty, the count is made right.
#[derive(Debug)]
pub(super) struct Room {
    capacity: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Everything, written or not.
    size: usize,
    /// What of it is being written.
    coming: usize,
    /// How many requests were written so far.
    written: u64,
}

// === impl Room ===

impl Room {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn size(&self) -> usize {
        self.held().size
    }

    /// What is held with so much more, where that fits.
    fn sum(&self, held: &Held, size: usize) -> Option<usize> {
        held.size.checked_add(size).filter(|sum| *sum <= self.capacity)
    }

    /// Whether a request of this size can ever be held.
    pub(super) fn is_possible(&self, size: usize) -> bool {
        size <= self.capacity
    }

    pub(super) fn has(&self, size: usize) -> bool {
        self.sum(&self.held(), size).is_some()
    }

    /// Takes room for a request that is about to be written; tells whether there was room.
    pub(super) fn reserve(&self, size: usize) -> bool {
        let mut held = self.held();
        let Some(sum) = self.sum(&held, size) else { return false };
        held.size = sum;
        held.coming += size;
        true
    }

    /// Takes room, whether there is any or not.
    pub(super) fn force(&self, size: usize) {
        let mut held = self.held();
        held.size += size;
        held.coming += size;
    }

    /// What was reserved is written, or will not be.
    pub(super) fn came(&self, size: usize, is_written: bool) {
        let mut held = self.held();
        held.coming = held.coming.saturating_sub(size);
        if is_written {
            held.written += 1;
        } else {
            held.size = held.size.saturating_sub(size);
        }
    }

    /// What an earlier run has written and not sent.
    pub(super) fn found(&self, size: usize) {
        self.held().size += size;
    }

    pub(super) fn give_back(&self, size: usize) {
        let mut held = self.held();
        held.size = held.size.saturating_sub(size);
    }

    /// How many requests were written so far.
    pub(super) fn written(&self) -> u64 {
        self.held().written
    }

    /// Nothing is left of the requests that were written when there were so many. Where none has come since, nor is coming, the queue is empty,
    /// whatever was counted; tells whether that was wrong.
    pub(super) fn settle(&self, written: u64) -> bool {
        let mut held = self.held();
        let is_wrong = held.written == written && held.coming == 0 && held.size > 0;
        if is_wrong {
            held.size = 0;
        }
        is_wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a request is lost, another one is sent although its client went while it was being written, and more come while the queue is
    /// found empty.
    /// Guarantees: the count is right once the queue is seen empty, and is not touched while something comes.
    #[test]
    fn the_count_is_made_right() {
        let room = Room::new(10);
        assert!(room.reserve(4) && room.reserve(5) && !room.reserve(2));
        room.came(4, true);
        let written = room.written();
        // The first is lost on the disk, the second still being written.
        assert!(!room.settle(written));
        room.came(5, false);
        room.give_back(5);
        assert!(room.reserve(3));
        room.came(3, true);
        // It has come since.
        assert!(!room.settle(written));
        assert_eq!(room.size(), 3);
        room.give_back(1);
        assert!(room.settle(room.written()));
        assert_eq!(room.size(), 0);
        assert!(!room.settle(room.written()));
    }
}
