//! Which level is in use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The level in use, and when better ones are tried again.
#[derive(Debug)]
pub(super) struct Selector {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    level: usize,
    retry: Option<Instant>,
}

// === impl Selector ===

impl Selector {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::default() }
    }

    /// The level in use; the number of levels where none works.
    pub(super) fn level(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).level
    }

    /// The level in use, where it is time to try the better ones: told to one request each time.
    pub(super) fn due(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.retry.is_none_or(|retry| now < retry) {
            return None;
        }
        state.retry = Some(now + self.interval);
        Some(state.level)
    }

    /// Goes on to the next level, unless another request has done so already.
    pub(super) fn failed(&self, level: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.level != level {
            return false;
        }
        state.level += 1;
        state.retry.get_or_insert(Instant::now() + self.interval);
        true
    }

    /// Goes back to a level that works again.
    pub(super) fn recovered(&self, level: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.level = level;
        if level == 0 {
            state.retry = None;
        }
    }
}
