use spanmill_otlp::SpanRef;

use super::{Candidate, PolicyError, Verdict};

/// Samples by the time from the earliest start to the latest end, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct LatencyPolicy {
    /// More than that.
    pub(super) above: i64,
    /// At most that; 0 means no limit.
    pub(super) up_to: i64,
}

// === impl LatencyPolicy ===

impl LatencyPolicy {
    /// As in the Collector, the duration is looked at after each span: a trace that was within the limits for a while is sampled.
    pub(super) fn evaluate(self, trace: &Candidate) -> Result<Verdict, PolicyError> {
        // Zero stands for nothing yet, also where a span has it.
        let (mut start, mut end) = (0, 0);
        trace.any_span(|span: SpanRef<'_>| {
            let (starts, ends) = (span.start_time_unix_nano(), span.end_time_unix_nano());
            if start == 0 || starts < start {
                start = starts;
            }
            if end == 0 || ends > end {
                end = ends;
            }
            let millis = millis_between(start, end);
            millis > self.above && (self.up_to == 0 || millis <= self.up_to)
        })
    }

    pub(super) fn is_bounded(self) -> bool {
        self.up_to > 0
    }
}

/// Times count as signed and durations end at 292 years, as in Go.
fn millis_between(start: u64, end: u64) -> i64 {
    (end as i64).saturating_sub(start as i64) / 1_000_000
}
