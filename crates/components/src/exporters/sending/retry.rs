//! Sending until it works, or no longer makes sense.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::config::RetryOnFailure;
use super::transport::SendError;

/// Decides when a failed request is tried again.
#[derive(Debug)]
pub(super) struct Schedule {
    waits: Option<ExponentialBackoff>,
    variation: f64,
    deadline: Option<Instant>,
}

/// A request that is tried until it works.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) schedule: Schedule,
    /// The next try.
    pub(super) at: Instant,
}

// === impl Schedule ===

impl Schedule {
    pub(super) fn new(config: &RetryOnFailure, is_durable: bool) -> Self {
        let waits = config.enabled.then(|| {
            ExponentialBuilder::default()
                .with_min_delay(config.initial_interval.to_std())
                .with_max_delay(config.max_interval.to_std())
                // Below one it would come back faster each time; the library refuses it.
                .with_factor(config.multiplier.max(1.0) as f32)
                .without_max_times()
                .build()
        });
        let deadline = config.limit(is_durable).map(|time| Instant::now() + time);
        Self { waits, variation: config.randomization_factor, deadline }
    }

    /// How long to wait before the next try; none where there shall be none.
    pub(super) fn next(&mut self, error: &SendError) -> Option<Duration> {
        if !error.retryable {
            return None;
        }
        let wait = self.waits.as_mut()?.next()?;
        let factor = 1.0 + self.variation * (fastrand::f64() * 2.0 - 1.0);
        let wait = error.retry_after.unwrap_or_else(|| wait.mul_f64(factor));
        // A backend may ask for a wait beyond what clocks can tell.
        let next = Instant::now().checked_add(wait);
        let in_time = self.deadline.is_none_or(|deadline| next.is_some_and(|next| next <= deadline));
        in_time.then_some(wait)
    }
}
