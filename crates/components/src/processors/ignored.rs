//! Errors that are passed over, told of in the log now and then.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use spanmill_config::ComponentId;

/// Least time between two log lines: what fails once does so for most spans.
const QUIET: Duration = Duration::from_secs(10);

/// Errors that were passed over and not yet told of.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    untold: u64,
    last: Option<Instant>,
}

// === impl Ignored ===

impl Ignored {
    /// Notes errors, of which one is told where it is time to.
    pub(super) fn tell(&self, processor: &ComponentId, count: u64, error: &dyn Display) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.untold += count;
        if state.last.is_some_and(|last| last.elapsed() < QUIET) {
            return;
        }
        state.last = Some(Instant::now());
        let count = std::mem::take(&mut state.untold);
        tracing::warn!(%processor, count, %error, "conditions or statements could not be evaluated and were passed over");
    }
}
