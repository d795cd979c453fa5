//! What decides on a trace.

mod attribute;
mod bucket;
mod build;
mod composite;
mod conditions;
pub(super) mod config;
mod latency;
mod probabilistic;
mod trace_state;

use std::sync::OnceLock;

use bytes::Bytes;
use spanmill_otlp::{SpanRef, Traces};
use thiserror::Error;

use super::grouping::TraceId;
use attribute::AttributePolicy;
use bucket::Bucket;
use composite::CompositePolicy;
use conditions::ConditionPolicy;
use latency::LatencyPolicy;
use probabilistic::ProbabilisticPolicy;
use trace_state::TraceStatePolicy;

pub(super) use build::{NamedPolicy, build};

/// A policy. Those that limit rates remember what they let through.
#[derive(Debug)]
pub(super) enum Policy {
    AlwaysSample,
    Latency(LatencyPolicy),
    Attribute(AttributePolicy),
    Probabilistic(ProbabilisticPolicy),
    /// Bits of status codes: 1 unset, 2 ok, 4 error.
    StatusCode(u8),
    SpansPerSecond(Bucket),
    BytesPerSecond(Bucket),
    SpanCount {
        min: i64,
        max: i64,
    },
    TraceState(TraceStatePolicy),
    TraceFlags,
    Conditions(Box<ConditionPolicy>),
    And(Vec<Policy>),
    Not(Box<Policy>),
    Drop(Vec<Policy>),
    Composite(CompositePolicy),
}

/// What a policy says of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Sampled,
    NotSampled,
    /// Not to be sampled, whatever other policies say.
    Dropped,
}

/// A policy could not say anything.
#[derive(Debug, Error)]
pub(super) enum PolicyError {
    #[error(transparent)]
    Condition(#[from] spanmill_ottl::ConditionError),
    #[error("the spans of the trace cannot be read: {0}")]
    Unreadable(#[from] spanmill_otlp::Malformed),
}

/// A trace to be decided on.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) id: TraceId,
    pub(super) spans: u64,
    /// Size of the encoded request, as the Collector encodes it.
    size: u64,
    bytes: Bytes,
    /// Read when a policy first asks.
    traces: OnceLock<Traces>,
}

// === impl Candidate ===

impl Candidate {
    /// A trace whose spans are an encoded request.
    pub(super) fn new(id: TraceId, spans: u64, size: u64, bytes: Bytes) -> Self {
        Self { id, spans, size, bytes, traces: OnceLock::new() }
    }

    /// Its spans.
    pub(super) fn traces(&self) -> Result<&Traces, PolicyError> {
        if let Some(traces) = self.traces.get() {
            return Ok(traces);
        }
        let traces = Traces::parse(self.bytes.clone())?;
        Ok(self.traces.get_or_init(|| traces))
    }

    /// Its spans, to be sent on.
    pub(super) fn into_traces(self) -> Result<Traces, PolicyError> {
        match self.traces.into_inner() {
            Some(traces) => Ok(traces),
            None => Ok(Traces::parse(self.bytes)?),
        }
    }

    /// The encoded request.
    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    fn any_span(&self, met: impl FnMut(SpanRef<'_>) -> bool) -> Result<Verdict, PolicyError> {
        Ok(Verdict::sampled(self.traces()?.spans().any(met)))
    }
}

// === impl Verdict ===

impl Verdict {
    fn sampled(sampled: bool) -> Self {
        if sampled { Self::Sampled } else { Self::NotSampled }
    }
}

// === impl Policy ===

impl Policy {
    /// What it says of a trace. Limits are used up by what they let through.
    pub(super) fn evaluate(&mut self, trace: &Candidate) -> Result<Verdict, PolicyError> {
        match self {
            Self::AlwaysSample => Ok(Verdict::Sampled),
            Self::Latency(policy) => policy.evaluate(trace),
            Self::Attribute(policy) => policy.evaluate(trace),
            Self::Probabilistic(policy) => Ok(Verdict::sampled(policy.samples(&trace.id))),
            Self::StatusCode(codes) => trace.any_span(|span| {
                u32::try_from(span.status().code).is_ok_and(|code| code < 3 && *codes >> code & 1 == 1)
            }),
            Self::SpansPerSecond(bucket) => Ok(Verdict::sampled(bucket.take(trace.spans))),
            Self::BytesPerSecond(bucket) => Ok(Verdict::sampled(bucket.take(trace.size))),
            Self::SpanCount { min, max } => {
                let spans = i64::try_from(trace.spans).unwrap_or(i64::MAX);
                Ok(Verdict::sampled(spans >= *min && (*max == 0 || spans <= *max)))
            }
            Self::TraceState(policy) => trace.any_span(|span| policy.matches(span.trace_state())),
            Self::TraceFlags => trace.any_span(|span| span.flags() & 1 == 1),
            Self::Conditions(policy) => policy.evaluate(trace),
            Self::And(policies) => all(policies, trace, Verdict::Sampled),
            Self::Drop(policies) => all(policies, trace, Verdict::Dropped),
            Self::Not(policy) => Ok(match policy.evaluate(trace)? {
                Verdict::Sampled => Verdict::NotSampled,
                Verdict::NotSampled => Verdict::Sampled,
                Verdict::Dropped => Verdict::Dropped,
            }),
            Self::Composite(policy) => policy.evaluate(trace),
        }
    }

    /// Whether what it says can change with what was seen before.
    pub(super) fn is_stateful(&self) -> bool {
        match self {
            Self::Latency(policy) => policy.is_bounded(),
            Self::SpanCount { max, .. } => *max > 0,
            Self::SpansPerSecond(_) | Self::BytesPerSecond(_) => true,
            Self::And(policies) | Self::Drop(policies) => policies.iter().any(Self::is_stateful),
            Self::Not(policy) => policy.is_stateful(),
            Self::Composite(policy) => policy.is_stateful(),
            Self::AlwaysSample
            | Self::Attribute(_)
            | Self::Probabilistic(_)
            | Self::StatusCode(_)
            | Self::TraceState(_)
            | Self::TraceFlags
            | Self::Conditions(_) => false,
        }
    }
}

/// The verdict where all policies want the trace. The first that does not ends it, so that limits further on are not used up.
fn all(policies: &mut [Policy], trace: &Candidate, verdict: Verdict) -> Result<Verdict, PolicyError> {
    for policy in policies {
        if policy.evaluate(trace)? == Verdict::NotSampled {
            return Ok(Verdict::NotSampled);
        }
    }
    Ok(verdict)
}
