use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::testing::{Trial, refusal, request, span, spans, traces};
use super::*;
use crate::processors::groupbytrace::held::Held;

/// Requests of spans, given by trace and name.
fn given(all: &[(u8, &str)]) -> Traces {
    let spans: Vec<Json> = all.iter().map(|(trace, name)| span(*trace, name, &json!({}))).collect();
    traces(&request(&json!({"service.name": "a"}), &spans))
}

fn names(sent: &Json) -> String {
    spans(sent).into_iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect()
}

async fn started(yaml: &str) -> Trial {
    let trial = Trial::new(&FACTORY, yaml, Signal::Traces).unwrap();
    let (fatal, _) = tokio::sync::mpsc::unbounded_channel();
    trial.node.start(&Host::new(Default::default(), fatal)).await.unwrap();
    trial
}

/// Scenario: spans of two traces come in two requests; time passes.
/// Guarantees: each trace goes on its own and as a whole, as long after its first span as configured.
#[tokio::test(start_paused = true)]
async fn traces_go_as_a_whole() {
    let trial = started("{wait_duration: 10s}").await;
    let start = Instant::now();
    trial.node.consume(given(&[(1, "a"), (2, "b"), (1, "c")]).into()).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    trial.node.consume(given(&[(3, "d"), (1, "e")]).into()).await.unwrap();
    sleep_until(start + Duration::from_millis(9_900)).await;
    assert!(trial.sent().is_empty());
    sleep_until(start + Duration::from_millis(10_100)).await;
    assert_eq!(trial.sent().iter().map(names).collect::<Vec<_>>(), ["ace", "b"]);
    sleep_until(start + Duration::from_millis(16_100)).await;
    assert_eq!(trial.sent().iter().map(names).collect::<Vec<_>>(), ["d"]);
    let released = trial.telemetry.counter("otelcol_processor_groupbytrace_spans_released", "", &[]);
    assert_eq!(released.get(), 5);
}

/// Scenario: the service stops while traces wait.
/// Guarantees: they are sent as they are. The Collector loses them.
#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_waits() {
    let trial = started("{wait_duration: 1h}").await;
    trial.node.consume(given(&[(1, "a"), (2, "b")]).into()).await.unwrap();
    trial.node.shutdown().await.unwrap();
    assert_eq!(trial.sent().iter().map(names).collect::<Vec<_>>(), ["a", "b"]);
}

/// Scenario: more traces than may wait, one of which has more spans afterwards.
/// Guarantees: the oldest give way and are counted; what comes of them later waits anew.
#[tokio::test(start_paused = true)]
async fn oldest_give_way() {
    let trial = started("{wait_duration: 1s, num_traces: 2}").await;
    trial.node.consume(given(&[(1, "a"), (1, "b"), (2, "c"), (3, "d")]).into()).await.unwrap();
    trial.node.consume(given(&[(1, "e")]).into()).await.unwrap();
    trial.node.shutdown().await.unwrap();
    assert_eq!(trial.sent().iter().map(names).collect::<Vec<_>>(), ["d", "e"]);
    let dropped = [("processor", "groupbytrace"), ("reason", "evicted")];
    assert_eq!(trial.telemetry.counter("spanmill_processor_groupbytrace_dropped_spans", "", &dropped).get(), 3);
    assert_eq!(trial.telemetry.counter("otelcol_processor_groupbytrace_traces_evicted", "", &[]).get(), 2);
}

/// Scenario: a trace of several resources, scopes and requests.
/// Guarantees: headers come with it, and those of one request are not repeated.
#[test]
fn headers_come_along() {
    let mut held = Held::new(Duration::from_secs(1), 10);
    let scope = |name: &str, spans: Json| json!({"scope": {"name": name}, "spans": spans, "schemaUrl": name});
    let both = json!({"resourceSpans": [{"schemaUrl": "r", "scopeSpans": [
        scope("s", json!([span(1, "a", &json!({})), span(2, "x", &json!({}))])), scope("t", json!([span(1, "b", &json!({}))]))]}]});
    held.push(traces(&both), Instant::now(), |_, _| panic!("there is room"));
    held.push(given(&[(1, "c")]), Instant::now(), |_, _| panic!("there is room"));
    let (_, trace) = held.take_oldest().unwrap();
    assert_eq!((held.len(), trace.span_count()), (1, 3));
    let mut text = Vec::new();
    let encoded = trace.compose().unwrap().encode();
    spanmill_otlp::json::from_protobuf(Signal::Traces, &encoded, &mut text).unwrap();
    let sent: Json = serde_json::from_slice(&text).unwrap();
    assert_eq!(names(&sent), "abc");
    assert_eq!(sent["resourceSpans"].as_array().unwrap().len(), 2);
    assert_eq!(sent["resourceSpans"][0]["schemaUrl"], "r");
    assert_eq!(sent["resourceSpans"][0]["scopeSpans"][1]["schemaUrl"], "t");
}

/// Scenario: options that are not supported, and numbers that make no sense.
/// Guarantees: they are refused by name.
#[test]
fn mistakes_are_named() {
    let refused = |yaml: &str| refusal(&FACTORY, yaml, Signal::Traces);
    insta::assert_snapshot!(refused("{discard_orphans: true}"), @"processors::groupbytrace:1: processors::groupbytrace::discard_orphans: not supported");
    insta::assert_snapshot!(refused("{num_traces: -1}"), @"processors::groupbytrace:1: processors::groupbytrace::num_traces: must not be negative");
    assert_eq!(refused("{wait_duration: 0s, num_traces: 0, num_workers: 4}"), "accepted");
}
