//! One decision of many policies.

use std::time::Instant;

use super::memory::Decision;
use super::metrics::{Metrics, PolicyMetrics};
use super::policy::{Candidate, NamedPolicy, Policy, Verdict};

/// The policies, those that drop traces first.
#[derive(Debug)]
pub(super) struct Policies {
    policies: Vec<(Policy, PolicyMetrics)>,
    first_match: bool,
}

// === impl Policies ===

impl Policies {
    /// `first_match` ends the evaluation at the first policy that wants the trace.
    pub(super) fn new(policies: Vec<NamedPolicy>, first_match: bool, metrics: &Metrics) -> Self {
        let counted = |named: NamedPolicy| (named.policy, metrics.policy(&named.name));
        Self { policies: policies.into_iter().map(counted).collect(), first_match }
    }

    /// Decides on a complete trace: dropped where a policy says so, else sampled where any policy wants it.
    pub(super) fn decide(&mut self, trace: &Candidate, metrics: &Metrics) -> Decision {
        let mut decision = Decision::NotSampled;
        for (policy, counts) in &mut self.policies {
            match evaluate(policy, counts, trace, metrics) {
                Some(Verdict::Dropped) => return Decision::Dropped,
                Some(Verdict::Sampled) => {
                    decision = Decision::Sampled;
                    if self.first_match {
                        break;
                    }
                }
                Some(Verdict::NotSampled) | None => {}
            }
        }
        decision
    }

    /// Decides on what just came in of a trace, where that cannot change any more. While a policy that drops traces may still do so when
    /// more spans come, nothing is sampled.
    pub(super) fn decide_early(&mut self, piece: &Candidate, metrics: &Metrics) -> Option<Decision> {
        let mut may_be_dropped = false;
        for (policy, counts) in &mut self.policies {
            let drops = matches!(policy, Policy::Drop(_));
            if may_be_dropped && !drops {
                return None;
            }
            match evaluate(policy, counts, piece, metrics) {
                Some(Verdict::Dropped) => return Some(Decision::Dropped),
                Some(_) if drops => may_be_dropped = true,
                Some(Verdict::Sampled) => return Some(Decision::Sampled),
                Some(Verdict::NotSampled) | None => {}
            }
        }
        None
    }
}

fn evaluate(policy: &mut Policy, counts: &mut PolicyMetrics, trace: &Candidate, metrics: &Metrics) -> Option<Verdict> {
    let began = Instant::now();
    let said = policy.evaluate(trace);
    counts.executed(began.elapsed());
    match said {
        Ok(verdict) => {
            counts.said(verdict);
            Some(verdict)
        }
        Err(error) => {
            metrics.evaluation_errors.inc();
            tracing::debug!(processor = %metrics.processor, %error, "a policy could not be evaluated");
            None
        }
    }
}
