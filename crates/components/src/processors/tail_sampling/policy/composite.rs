use tokio::time::Instant;

use super::{Candidate, Policy, PolicyError, Verdict};

/// Asks policies one after the other, each of which has a share of the spans per second.
#[derive(Debug)]
pub(in super::super) struct CompositePolicy {
    pub(super) parts: Vec<Share>,
    pub(super) spans_per_second: i64,
    began: Instant,
    second: u64,
}

/// A policy and what it may let through.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) policy: Policy,
    pub(super) spans_per_second: i64,
    /// Of this second.
    pub(super) sampled: i64,
}

// === impl CompositePolicy ===

impl CompositePolicy {
    pub(super) fn new(parts: Vec<Share>, spans_per_second: i64) -> Self {
        Self { parts, spans_per_second, began: Instant::now(), second: 0 }
    }

    /// The first policy that wants the trace decides: it is sampled while the share lasts. A trace that is too large for what is left
    /// uses up nothing, so that a smaller one may follow.
    pub(super) fn evaluate(&mut self, trace: &Candidate) -> Result<Verdict, PolicyError> {
        let second = self.began.elapsed().as_secs();
        if second != self.second {
            self.second = second;
            for part in &mut self.parts {
                part.sampled = 0;
            }
        }
        let spans = i64::try_from(trace.spans).unwrap_or(i64::MAX);
        for part in &mut self.parts {
            if part.policy.evaluate(trace)? == Verdict::Sampled {
                let sampled = part.sampled.saturating_add(spans);
                let fits = sampled <= part.spans_per_second && sampled <= self.spans_per_second;
                if fits {
                    part.sampled = sampled;
                }
                return Ok(Verdict::sampled(fits));
            }
        }
        Ok(Verdict::NotSampled)
    }

    pub(super) fn is_stateful(&self) -> bool {
        self.parts.iter().any(|part| part.policy.is_stateful())
    }
}
