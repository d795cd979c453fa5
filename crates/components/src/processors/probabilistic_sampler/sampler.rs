use spanmill_otlp::{Part, Patch, SpanRef};
use thiserror::Error;

use super::super::sampling::{Randomness, Threshold, TraceState, TraceStateError};
use super::priority::Priority;
use super::view::View;

/// How spans are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sampler {
    /// None are kept, unless their priority says so.
    Never,
    /// By a hash of the trace id, as older Collectors do.
    Hashing { seed: u32, threshold: Threshold },
    /// Down to a probability that all traces then have in common.
    Equalizing { threshold: Threshold },
    /// Down to a part of what comes in, whatever it was sampled by before.
    Proportional { ratio: f64, digits: i64 },
}

/// What a decision was made by: the label `policy` of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    MissingRandomness,
    SamplingPriority,
    SamplingRandomness,
    TraceIdHash,
    TraceIdW3c,
}

/// A decision on a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) sampled: bool,
    pub(super) policy: Policy,
    /// Why the sampler could not decide by itself.
    pub(super) error: Option<SampleError>,
}

/// Why a span cannot be decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum SampleError {
    #[error(transparent)]
    TraceState(#[from] TraceStateError),
    #[error("the arriving threshold does not fit the randomness: the span should not have been sampled")]
    Inconsistent,
    #[error("no randomness: the span has no trace id")]
    MissingRandomness,
    #[error("the span has sampling randomness: use mode equalizing or proportional")]
    RandomnessInUse,
    #[error("the span has a sampling threshold: use mode equalizing or proportional")]
    ThresholdInUse,
}

/// What is known of a span before it is decided on.
struct Known<'a> {
    randomness: Randomness,
    policy: Policy,
    /// None where the span's trace state must be left alone.
    state: Option<TraceState<'a>>,
    error: Option<SampleError>,
}

// === impl Sampler ===

impl Sampler {
    /// Decides on a span. Where it is sampled, the patch says what its trace state has to become.
    pub(super) fn decide(
        &self,
        span: SpanRef<'_>,
        fail_closed: bool,
        patch: &mut Patch,
        text: &mut Vec<u8>,
    ) -> Decision {
        patch.clear();
        let view = View::of(span, patch);
        let mut known = self.know(&view);
        if known.error.is_none() {
            known.check();
        }
        let threshold = match known.error {
            None => self.threshold(known.state.as_ref()),
            Some(_) if fail_closed => Threshold::NEVER,
            Some(_) => Threshold::ALWAYS,
        };
        let (threshold, policy) = match view.priority {
            Priority::Defer => (threshold, known.policy),
            Priority::Drop => (Threshold::NEVER, Policy::SamplingPriority),
            Priority::Keep => (Threshold::ALWAYS, Policy::SamplingPriority),
        };
        let sampled = threshold.admits(known.randomness);
        match known.state {
            Some(mut state) if sampled => {
                state.raise_threshold(threshold);
                text.clear();
                state.put(text);
                if text == view.trace_state { patch.clear() } else { patch.append_bytes(3, text) }
            }
            _ => patch.clear(),
        }
        Decision { sampled, policy, error: known.error }
    }

    fn know<'a>(&self, view: &View<'a>) -> Known<'a> {
        let (state, outcome) = TraceState::parse(view.trace_state);
        let error = outcome.err().map(SampleError::from);
        match *self {
            Self::Never => {
                Known { randomness: Randomness::LARGEST, policy: Policy::SamplingPriority, state: Some(state), error }
            }
            Self::Hashing { seed, .. } => know_by_hash(seed, view, state, error),
            Self::Equalizing { .. } | Self::Proportional { .. } => {
                let explicit = if error.is_none() { state.randomness() } else { None };
                let (randomness, policy) = match (explicit, &view.trace_id, error) {
                    (Some(randomness), _, _) => (randomness, Policy::SamplingRandomness),
                    (None, Some(id), None) => (Randomness::of_trace_id(id), Policy::TraceIdW3c),
                    _ => (Randomness::LARGEST, Policy::MissingRandomness),
                };
                Known { randomness, policy, state: error.is_none().then_some(state), error }
            }
        }
    }

    fn threshold(&self, state: Option<&TraceState<'_>>) -> Threshold {
        let arriving = state.and_then(TraceState::threshold);
        match *self {
            Self::Never => Threshold::NEVER,
            Self::Hashing { threshold, .. } => threshold,
            Self::Equalizing { threshold } => arriving.map_or(threshold, |arriving| arriving.max(threshold)),
            Self::Proportional { ratio, digits } => {
                let probability = arriving.map_or(1.0, Threshold::probability) * ratio;
                // Less than what can be expressed is as good as never.
                Threshold::of_probability(probability, digits).unwrap_or(Threshold::NEVER)
            }
        }
    }
}

fn know_by_hash<'a>(seed: u32, view: &View<'a>, mut state: TraceState<'a>, error: Option<SampleError>) -> Known<'a> {
    let (randomness, policy) = match &view.trace_id {
        Some(id) => (hashed(id, seed), Policy::TraceIdHash),
        None => (Randomness::LARGEST, Policy::MissingRandomness),
    };
    // Whoever sampled consistently before must not be contradicted.
    let error = error
        .or_else(|| state.randomness().map(|_| SampleError::RandomnessInUse))
        .or_else(|| state.threshold().map(|_| SampleError::ThresholdInUse));
    let state = error.is_none().then(|| {
        state.set_randomness(randomness);
        state
    });
    Known { randomness, policy, state, error }
}

/// Randomness of a hash: its upper 14 bits make the decision of older Collectors (hash bucket less than accepted buckets) come out of the
/// comparison of thresholds, the others are for samplers that come later.
fn hashed(id: &[u8; 16], seed: u32) -> Randomness {
    let hash = seed
        .to_le_bytes()
        .iter()
        .chain(id)
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let bucket = u64::from(hash & 0x3fff);
    let unused = u64::from(hash >> 18);
    let mixed = unused ^ unused << 10;
    Randomness::of_bits((0x3fff - bucket) << 42 | mixed << 14 | bucket)
}

// === impl Known ===

impl Known<'_> {
    /// Looks for contradictions.
    fn check(&mut self) {
        if self.policy == Policy::MissingRandomness {
            self.error = Some(SampleError::MissingRandomness);
            return;
        }
        let Some(state) = &mut self.state else { return };
        if state.threshold().is_some_and(|threshold| !threshold.admits(self.randomness)) {
            state.clear_threshold();
            self.error = Some(SampleError::Inconsistent);
        }
    }
}

// === impl Policy ===

impl Policy {
    pub(super) const COUNT: usize = 5;

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MissingRandomness => "missing_randomness",
            Self::SamplingPriority => "sampling_priority",
            Self::SamplingRandomness => "sampling_randomness",
            Self::TraceIdHash => "trace_id_hash",
            Self::TraceIdW3c => "trace_id_w3c",
        }
    }
}

/// A patch that decisions are made with.
pub(super) fn patch() -> Patch {
    Patch::new(Part::Span)
}
