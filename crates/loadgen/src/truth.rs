use std::collections::BTreeMap;

use crate::call::{Call, Cause};

/// What really happened, for comparison with what a collector makes of the traffic.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Every call, in the order in which they began within each visit.
    pub calls: Vec<Call>,
    /// How many spans tell about them, those of other things included.
    pub spans: usize,
    /// How many spans repeat the usage of the calls below them.
    pub rollups: usize,
}

// === impl Truth ===

impl Truth {
    /// Calls with an answer: each has one span that owns its usage.
    pub fn answered(&self) -> usize {
        self.calls.iter().filter(|call| call.outcome.is_ok()).count()
    }

    /// Calls without one.
    pub fn failed(&self) -> usize {
        self.calls.len() - self.answered()
    }

    /// Spans that repeat the usage of a call that another span owns.
    pub fn duplicates(&self) -> usize {
        self.calls.iter().filter(|call| call.outcome.is_ok()).map(|call| call.duplicates).sum()
    }

    /// Calls that took long and were answered.
    pub fn slow(&self) -> usize {
        self.calls.iter().filter(|call| call.is_slow() && call.outcome.is_ok()).count()
    }

    /// Calls that were slow although they were small, with the cause.
    pub fn slow_small(&self) -> impl Iterator<Item = (&Call, Cause)> {
        self.calls.iter().filter_map(|call| call.slow_small().map(|cause| (call, cause)))
    }

    /// How many of those there are for each cause.
    pub fn causes(&self) -> BTreeMap<Cause, usize> {
        let mut counts = BTreeMap::new();
        for (_, cause) in self.slow_small() {
            *counts.entry(cause).or_default() += 1;
        }
        counts
    }

    /// Input and output tokens of all calls, each counted once.
    pub fn tokens(&self) -> (u64, u64) {
        let answered = self.calls.iter().filter(|call| call.outcome.is_ok());
        answered.fold((0, 0), |sum, call| (sum.0 + call.input_tokens, sum.1 + call.output_tokens))
    }
}
