//! A part of a request, for what sends spans different ways.

use spanmill_otlp::{SpanIx, Traces};

/// The flagged spans, on the same bytes. `spans` are all of them, in order.
pub(crate) fn part(traces: &Traces, spans: &[SpanIx], flags: &[bool]) -> Traces {
    let mut part = traces.clone();
    for (span, _) in spans.iter().zip(flags).filter(|(_, flag)| !**flag) {
        part.drop_span(*span);
    }
    part
}
