//! Thins out messages that repeat.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

/// Equal messages are counted in one of so many slots; unequal ones may share a slot, rarely.
const SLOTS: usize = 4096;

/// Counts equal messages, second by second.
#[derive(Debug)]
pub(super) struct Sampler {
    initial: u64,
    thereafter: u64,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    since: Instant,
    count: u64,
}

// === impl Sampler ===

impl Sampler {
    pub(super) fn new(initial: u64, thereafter: u64, now: Instant) -> Self {
        // Where everything passes there is nothing to count.
        let slots = if thereafter == 1 { 0 } else { SLOTS };
        Self { initial, thereafter, slots: vec![Slot { since: now, count: 0 }; slots] }
    }

    /// Whether this message is let through.
    pub(super) fn admits(&mut self, message: &str, now: Instant) -> bool {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let Some(slot) = self.slots.get_mut((hasher.finish() % SLOTS as u64) as usize) else { return true };
        if now.saturating_duration_since(slot.since) >= Duration::from_secs(1) {
            *slot = Slot { since: now, count: 0 };
        }
        slot.count += 1;
        match slot.count.checked_sub(self.initial) {
            None | Some(0) => true,
            Some(beyond) => self.thereafter > 0 && beyond.is_multiple_of(self.thereafter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: one message ten times in a second, another once, and the first again a second later.
    /// Guarantees: the first few pass, then every so many-th; other messages and other seconds are counted apart.
    #[test]
    fn thins_out_what_repeats() {
        let start = Instant::now();
        let mut sampler = Sampler::new(2, 3, start);
        let passed: Vec<bool> = (0..10).map(|_| sampler.admits("Traces", start)).collect();
        assert_eq!(passed, [true, true, false, false, true, false, false, true, false, false]);
        assert!(sampler.admits("Logs", start));
        assert!(sampler.admits("Traces", start + Duration::from_secs(1)));
        let mut none = Sampler::new(1, 0, start);
        assert_eq!([none.admits("x", start), none.admits("x", start)], [true, false]);
        let mut all = Sampler::new(0, 1, start);
        assert!((0..100).all(|_| all.admits("x", start)));
    }
}
