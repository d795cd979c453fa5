use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::shape::{Shape, request};
use crate::{Cause, Options, Outcome, Template, Traffic};

const NOW: u64 = 1_795_500_000_000_000_000;

fn traffic(seed: u64, calls: usize) -> Traffic {
    Traffic::generate(&Options { seed, calls, now_unix_nano: NOW, period: Duration::from_secs(600) })
}

fn spans(traffic: &Traffic) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for export in &traffic.exports {
        let decoded = ExportTraceServiceRequest::decode(export.bytes.clone()).unwrap();
        for scope in decoded.resource_spans.into_iter().flat_map(|resource| resource.scope_spans) {
            let name = scope.scope.unwrap().name;
            all.extend(scope.spans.into_iter().map(|span| (name.clone(), span)));
        }
    }
    all
}

/// Scenario: traffic is made twice from one seed, and once from another.
/// Guarantees: the same seed gives the same bytes and the same truth, another one gives others.
#[test]
fn one_seed_one_traffic() {
    let bytes = |traffic: &Traffic| traffic.exports.iter().map(|export| export.bytes.clone()).collect::<Vec<_>>();
    let (first, again, other) = (traffic(7, 300), traffic(7, 300), traffic(8, 300));
    assert_eq!(bytes(&first), bytes(&again));
    assert_eq!(first.truth.causes(), again.truth.causes());
    assert_ne!(bytes(&first), bytes(&other));
    assert_eq!(request(Shape::Text, 64, 1), request(Shape::Text, 64, 1));
    assert_ne!(request(Shape::Text, 64, 1), request(Shape::Text, 64, 2));
}

/// Scenario: a thousand calls.
/// Guarantees: every service, outcome and cause occurs, and calls keep clear of the borders of slow and small, so that what is
/// expected of a collector never hangs on a millisecond.
#[test]
fn everything_occurs_and_nothing_is_borderline() {
    let truth = traffic(1, 1000).truth;
    let services: BTreeSet<_> = truth.calls.iter().map(|call| call.service).collect();
    let outcomes: BTreeSet<_> = truth.calls.iter().map(|call| call.outcome).collect();
    assert_eq!(services.len(), 8);
    assert_eq!(outcomes.len(), 6);
    let causes: Vec<Cause> = truth.causes().into_keys().collect();
    assert_eq!(causes, [Cause::SlowStart, Cause::SlowFinish, Cause::ToolLoop, Cause::Unknown]);
    for call in &truth.calls {
        assert!(call.cached_tokens <= call.input_tokens, "{call:?}");
        let (seconds, tokens) = (call.duration.as_secs_f64(), call.input_tokens);
        assert!(!(4.6..5.2).contains(&seconds), "{call:?}");
        assert!(!(1950..2000).contains(&tokens) || !call.is_slow(), "{call:?}");
        if let Some(first) = call.time_to_first_token {
            let share = first.as_secs_f64() / seconds;
            assert!(call.slow_small().is_none() || !(0.2..0.7).contains(&share), "{call:?}");
        }
    }
    let share = truth.slow_small().count() * 100 / truth.calls.len();
    assert!((2..12).contains(&share), "{share} % are slow and small");
}

/// Scenario: the exports are decoded.
/// Guarantees: they hold as many spans and calls as they say, ids are unique, parents are in the same trace and around their
/// children, nothing lies in the future, and each visit is told in one export.
#[test]
fn spans_are_well_formed() {
    let traffic = traffic(3, 400);
    let all = spans(&traffic);
    assert_eq!(all.len(), traffic.truth.spans);
    assert_eq!(traffic.exports.iter().map(|export| export.spans).sum::<usize>(), all.len());
    assert_eq!(traffic.exports.iter().map(|export| export.calls).sum::<usize>(), traffic.truth.calls.len());
    let by_id: BTreeMap<_, _> = all.iter().map(|(_, span)| (span.span_id.clone(), span)).collect();
    assert_eq!(by_id.len(), all.len());
    for (_, span) in &all {
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        assert!(span.start_time_unix_nano < span.end_time_unix_nano && span.end_time_unix_nano <= NOW);
        if span.parent_span_id.is_empty() {
            continue;
        }
        let parent = by_id[&span.parent_span_id];
        assert_eq!(parent.trace_id, span.trace_id);
        assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{span:?}");
        assert!(parent.end_time_unix_nano >= span.end_time_unix_nano, "{span:?}");
    }
    let mut sent: HashSet<Vec<u8>> = HashSet::new();
    for export in &traffic.exports {
        let decoded = ExportTraceServiceRequest::decode(export.bytes.clone()).unwrap();
        let scopes = decoded.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        let traces: HashSet<Vec<u8>> = scopes.flat_map(|scope| scope.spans).map(|span| span.trace_id).collect();
        assert!(traces.is_disjoint(&sent), "a trace is told in two exports");
        sent.extend(traces);
    }
}

/// Scenario: usage is looked for in the spans themselves.
/// Guarantees: the truth's number of owners, duplicates and roll-ups together is the number of spans that carry usage, and every
/// slow small call is told by a span of its trace that lasts as long.
#[test]
fn the_truth_is_in_the_spans() {
    let traffic = traffic(4, 500);
    let all = spans(&traffic);
    let carries = |span: &Span| {
        let keys = ["gen_ai.usage.input_tokens", "llm.token_count.prompt"];
        span.attributes.iter().any(|given| keys.contains(&given.key.as_str()))
    };
    let truth = &traffic.truth;
    let told = all.iter().filter(|(_, span)| carries(span)).count();
    assert_eq!(told, truth.answered() + truth.duplicates() + truth.rollups);
    assert!(truth.duplicates() > 0 && truth.rollups > 0 && truth.failed() > 0);
    for (call, _) in truth.slow_small() {
        let nanos = u64::try_from(call.duration.as_nanos()).unwrap();
        let told = all.iter().any(|(_, span)| {
            let lasted = span.end_time_unix_nano - span.start_time_unix_nano;
            span.trace_id == call.trace_id && carries(span) && lasted.abs_diff(nanos) < 1_000_000
        });
        assert!(told, "{call:?}");
    }
    assert!(truth.calls.iter().any(|call| call.outcome == Outcome::Stop && call.cached_tokens > 0));
}

/// Scenario: each shape of benchmark traffic, 512 spans.
/// Guarantees: spans have the size the figures are given for, and distinct ids.
#[test]
fn shapes_have_their_sizes() {
    for (shape, low, high) in [(Shape::Small, 550, 650), (Shape::Text, 8600, 9000), (Shape::Structured, 8900, 9700)] {
        let bytes = request(shape, 512, 5);
        let size = bytes.len() / 512;
        assert!((low..high).contains(&size), "{shape:?}: {size} bytes a span");
        let decoded = ExportTraceServiceRequest::decode(bytes).unwrap();
        let spans = &decoded.resource_spans[0].scope_spans[0].spans;
        let ids: HashSet<_> = spans.iter().map(|span| &span.span_id).collect();
        assert_eq!(ids.len(), 512);
        let last = spans[0].attributes.last().unwrap();
        let kind = last.value.as_ref().unwrap().value.as_ref().unwrap();
        assert_eq!(matches!(kind, Value::ArrayValue(_)), shape == Shape::Structured);
    }
}

/// Scenario: a template gives three requests.
/// Guarantees: they are equal but for trace, span and response ids, of which none occurs twice.
#[test]
fn a_template_gives_fresh_ids() {
    let template = Template::new(Shape::Small, 128, 9);
    assert_eq!(template.spans(), 128);
    let mut ids = HashSet::new();
    let mut stripped = Vec::new();
    for number in 0..3 {
        let mut decoded = ExportTraceServiceRequest::decode(template.fresh(number)).unwrap();
        for span in &mut decoded.resource_spans[0].scope_spans[0].spans {
            assert!(ids.insert(std::mem::take(&mut span.trace_id)));
            assert!(ids.insert(std::mem::take(&mut span.span_id)));
            span.parent_span_id.clear();
            let response = span.attributes.iter_mut().find(|given| given.key == "gen_ai.response.id").unwrap();
            assert!(ids.insert(response.value.take().unwrap().encode_to_vec()));
        }
        stripped.push(decoded);
    }
    assert_eq!(stripped[0], stripped[1]);
    assert_eq!(stripped[0], stripped[2]);
    let below = template.spans_below(3200);
    assert!((40..90).contains(&below), "{below}");
}
