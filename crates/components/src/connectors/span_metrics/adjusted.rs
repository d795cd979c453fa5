//! For how many spans a sampled one stands.

use spanmill_otlp::{MAX_ADJUSTED_COUNT, sampling_threshold};

/// The last answer: spans of one trace follow each other, with the same trace state.
#[derive(Debug)]
pub(super) struct Adjusted<'a> {
    trace_state: &'a [u8],
    answer: (u64, bool),
}

// === impl Adjusted ===

impl Default for Adjusted<'_> {
    fn default() -> Self {
        Self { trace_state: &[], answer: (1, false) }
    }
}

impl<'a> Adjusted<'a> {
    /// How many spans one with this trace state stands for, and whether a sampler said so. What is between two whole numbers
    /// becomes one of them by chance, so that sums come out right.
    #[inline]
    pub(super) fn count(&mut self, trace_state: &'a [u8]) -> (u64, bool) {
        if trace_state.is_empty() {
            return (1, false);
        }
        if self.trace_state != trace_state {
            *self = Self { trace_state, answer: work_out(trace_state) };
        }
        self.answer
    }
}

fn work_out(trace_state: &[u8]) -> (u64, bool) {
    match sampling_threshold(trace_state) {
        Ok(Some(threshold)) => {
            let rest = MAX_ADJUSTED_COUNT.saturating_sub(threshold).max(1);
            let (whole, fraction) = (MAX_ADJUSTED_COUNT / rest, MAX_ADJUSTED_COUNT % rest);
            (whole + u64::from(fraction > 0 && fastrand::u64(..rest) < fraction), true)
        }
        _ => (1, false),
    }
}
