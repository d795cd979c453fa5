//! A subject must not be measured at doing nothing: what comes out is looked at first.

use bytes::Bytes;
use spanmill_otlp::Traces;

use crate::subject::Subject;

/// What is wrong with a request that came out of the subject.
pub(crate) fn problem(subject: Subject, output: Bytes) -> Option<String> {
    let traces = match Traces::parse(output) {
        Ok(traces) => traces,
        Err(error) => return Some(format!("what came out is malformed: {error}")),
    };
    let spans = traces.span_count();
    let having = |key: &str| traces.spans().filter(|span| span.attribute(key).is_some()).count();
    if having("gen_ai.usage.input_tokens") != spans || spans == 0 {
        return Some(format!("of {spans} spans that came out, some have lost their attributes"));
    }
    if !subject.enriches() {
        return None;
    }
    for key in ["spanmill.total_tokens", "spanmill.finish_reason", "spanmill.tokens_per_second"] {
        let told = having(key);
        if told != spans {
            return Some(format!("only {told} of {spans} spans that came out have {key}"));
        }
    }
    let flagged = having("spanmill.slow_small");
    (flagged == 0 || flagged == spans)
        .then(|| format!("{flagged} of {spans} spans that came out are flagged slow_small"))
}
