//! When to refuse, and when to give freed memory back to the system.

use std::time::{Duration, Instant};

use super::memory::Memory;

/// From how many bytes in use on requests are refused, and from how many on that is an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) soft: u64,
    pub(super) hard: u64,
}

/// Times between two tries to give memory back: first above the soft limit, then above the hard one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intervals {
    pub(super) check: Duration,
    pub(super) min: [Duration; 2],
    /// Zero: the time does not grow.
    pub(super) max: [Duration; 2],
}

/// Looks at the memory in use, time after time. Where Go's forces a garbage collection, this one has the allocator give back what was freed
/// and is still held: only then does the memory of the process tell what is needed.
#[derive(Debug)]
pub(super) struct Limiter<M> {
    limits: Limits,
    intervals: Intervals,
    memory: M,
    given_back: Instant,
    last_used: u64,
    /// The times between tries as they have grown.
    grown: [Duration; 2],
    refusing: bool,
}

const MIB: u64 = 1 << 20;

/// A try that gives back less than this share of the memory in use, in percent, was in vain.
const EFFECTIVE: u64 = 5;

// === impl Limits ===

impl Limits {
    /// Without a spike it is a fifth of the limit.
    pub(super) fn new(limit: u64, spike: u64) -> Self {
        let spike = if spike == 0 { limit / 5 } else { spike };
        Self { soft: limit.saturating_sub(spike), hard: limit }
    }
}

// === impl Limiter ===

impl<M: Memory> Limiter<M> {
    pub(super) fn new(limits: Limits, intervals: Intervals, memory: M, now: Instant) -> Self {
        Self { limits, intervals, memory, given_back: now, last_used: 0, grown: [Duration::ZERO; 2], refusing: false }
    }

    /// Whether requests are to be refused from now on. May take some milliseconds.
    pub(super) fn check(&mut self, now: Instant) -> bool {
        let Some(used) = self.memory.used() else { return false };
        if !self.is_above(used, false) {
            if self.refusing {
                tracing::info!(mib = used / MIB, "memory usage back within limits, resuming normal operation");
            }
            self.refusing = false;
            return false;
        }
        let (which, limit) = if used >= self.limits.hard { (1, "hard") } else { (0, "soft") };
        let (used, above) = if now.duration_since(self.given_back) > self.wait(which) {
            tracing::debug!(mib = used / MIB, limit, "memory usage is above the limit, giving freed memory back");
            self.memory.give_back();
            self.given_back = now;
            let used = self.memory.used().unwrap_or(used);
            (used, self.is_above(used, true))
        } else {
            (used, true)
        };
        if above && !self.refusing {
            tracing::warn!(mib = used / MIB, "memory usage is above the soft limit, refusing data");
        }
        self.refusing = above;
        above
    }

    /// What was in use at the last look.
    pub(super) fn last_used(&self) -> u64 {
        self.last_used
    }

    /// Whether the soft limit is exceeded. Also notes whether memory has shrunk, and so how soon giving back is worth another try.
    fn is_above(&mut self, used: u64, gave_back: bool) -> bool {
        let above = used >= self.limits.soft;
        let shrunk = !above || used <= self.last_used / 100 * (100 - EFFECTIVE);
        self.last_used = used;
        if shrunk {
            self.grown = [Duration::ZERO; 2];
        } else if gave_back {
            let Intervals { check, min, max } = self.intervals;
            let next = |grown: Duration, min: Duration, max: Duration| {
                if max.is_zero() {
                    return min;
                }
                // A little less than the time between two looks, so that the next look is not just too early.
                (grown.max(min).max(check.mul_f64(0.95)) * 2).min(max.max(min))
            };
            let ([soft, hard], [min_soft, min_hard], [max_soft, max_hard]) = (self.grown, min, max);
            self.grown = [next(soft, min_soft, max_soft), next(hard, min_hard, max_hard)];
        }
        above
    }

    fn wait(&self, which: usize) -> Duration {
        let of = |times: &[Duration; 2]| times.get(which).copied().unwrap_or_default();
        of(&self.intervals.min).max(of(&self.grown))
    }
}
