//! How large a request may be, as far as a backend has shown it. Nothing says so in advance, and what says no may be mended a moment later: the
//! size shrinks where smaller requests help, and grows again as long as they are taken, as TCP's window does.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The largest request that is sent as it is, in bytes.
#[derive(Debug)]
pub(super) struct Sizes(Mutex<State>);

#[derive(Debug)]
struct State {
    limit: usize,
    /// Requests that were taken in a row, and as large as they may be, about.
    full: u32,
    /// After how many such a larger one is tried.
    wanted: u32,
    /// The limit was raised, and no such request was taken yet.
    probing: bool,
}

/// After so many requests a larger one is tried at first.
const WANTED: u32 = 4;

/// Each larger one that is refused doubles that, so that at most one request in so many is in vain.
const WANTED_MOST: u32 = 1 << 10;

/// A limit beyond that is none: larger requests are not made.
const NO_LIMIT: usize = 1 << 30;

// === impl Sizes ===

impl Sizes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    /// A request was refused as too large. Returns a smaller size, which is not remembered before it helps.
    pub(super) fn refused(&self, bytes: usize) -> usize {
        let mut state = self.state();
        if state.probing && bytes > state.limit / 2 && bytes <= state.limit {
            state.probing = false;
            state.limit /= 2;
            state.wanted = state.wanted.saturating_mul(2).min(WANTED_MOST);
            state.full = 0;
        }
        if state.limit < bytes { state.limit } else { bytes / 2 }
    }

    /// A size was taken where a larger one was not.
    pub(super) fn helped(&self, size: usize) {
        let mut state = self.state();
        if size < state.limit {
            *state = State { limit: size, full: 0, probing: false, wanted: state.wanted };
        }
    }

    /// A request was taken. Returns what one may have now.
    pub(super) fn taken(&self, bytes: usize) -> usize {
        let mut state = self.state();
        if bytes > state.limit / 2 {
            if std::mem::take(&mut state.probing) {
                state.wanted = WANTED;
            }
            // An item that is larger goes all the same.
            state.limit = state.limit.max(bytes);
            state.full += 1;
            if state.full >= state.wanted {
                let limit = state.limit.saturating_mul(2);
                state.limit = if limit > NO_LIMIT { usize::MAX } else { limit };
                state.full = 0;
                state.probing = true;
            }
        }
        state.limit
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self(Mutex::new(State { limit: usize::MAX, full: 0, wanted: WANTED, probing: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends requests that are as large as they may be to a backend that takes so many bytes; returns how many it refused.
    fn send(sizes: &Sizes, backend: usize, requests: usize) -> usize {
        let mut refused = 0;
        for _ in 0..requests {
            let mut limit = sizes.limit().min(1 << 20);
            let mut shrunk = false;
            while limit > backend {
                refused += 1;
                limit = limit.min(sizes.refused(limit));
                shrunk = true;
            }
            if shrunk {
                sizes.helped(limit);
            } else {
                sizes.taken(limit);
            }
        }
        refused
    }

    /// Scenario: a backend takes almost nothing for a moment, then as much as before.
    /// Guarantees: after some dozens of requests none is split any more.
    #[test]
    fn a_moment_does_not_last() {
        let sizes = Sizes::default();
        send(&sizes, 200, 1);
        assert!(sizes.limit() <= 200);
        assert_eq!(send(&sizes, usize::MAX, 70), 0);
        assert!(sizes.limit() >= 1 << 20, "{}", sizes.limit());
    }

    /// Scenario: a backend takes 100,000 bytes for ever.
    /// Guarantees: the size keeps within a half of that, and hardly any request is in vain.
    #[test]
    fn a_limit_is_kept_to() {
        let sizes = Sizes::default();
        send(&sizes, 100_000, 5_000);
        assert!((50_000..=200_000).contains(&sizes.limit()), "{}", sizes.limit());
        let refused = send(&sizes, 100_000, 10_000);
        assert!((1..=20).contains(&refused), "{refused}");
    }
}
