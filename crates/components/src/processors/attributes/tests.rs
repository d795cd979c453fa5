use serde_json::json;

use super::super::testing::{Trial, object, refusal, request, span, spans, traces};
use super::*;

/// Scenario: actions for some of the spans.
/// Guarantees: those are changed, the others are not.
#[tokio::test]
async fn selected_spans_are_changed() {
    let given =
        request(&json!({"service.name": "a"}), &[span(1, "one", &json!({"k": 1})), span(1, "two", &json!({"k": 1}))]);
    let yaml = "{include: {match_type: strict, span_names: [two]}, actions: [{key: k, action: delete}, {key: n, action: insert, value: x}]}";
    let sent = Trial::run(&FACTORY, yaml, &given).await;
    let found: Vec<_> = spans(&sent).into_iter().map(object).collect();
    assert_eq!(found, [json!({"k": 1}), json!({"n": "x"})]);
}

/// Scenario: actions that change nothing of a request.
/// Guarantees: the very bytes that came in are passed on.
#[tokio::test]
async fn untouched_bytes_are_passed_on() {
    let trial = Trial::new(
        &FACTORY,
        "{actions: [{key: absent, action: delete}, {key: k, action: insert, value: 2}]}",
        Signal::Traces,
    )
    .unwrap();
    let given = traces(&request(&json!({}), &[span(1, "one", &json!({"k": 1}))]));
    trial.node.consume(given.clone().into()).await.unwrap();
    let sent = trial.sink.0.lock().unwrap().remove(0);
    assert!(!sent.is_edited());
    assert_eq!(sent.encode(), given.encode());
}

/// Scenario: configurations without actions, with unknown options, and for other signals.
/// Guarantees: they are refused, and told why.
#[test]
fn refused() {
    insta::assert_snapshot!(refusal(&FACTORY, "{}", Signal::Traces), @r#"processors::attributes:1: processors::attributes::actions: missing required field "actions""#);
    insta::assert_snapshot!(refusal(&FACTORY, "{actions: [{key: a, action: delete, patern: b}]}", Signal::Traces), @r#"processors::attributes:1: processors::attributes::actions[0]: unknown key "patern", did you mean "pattern"? (valid keys: action, converted_type, default_value, from_attribute, from_context, key, pattern, value)"#);
    insta::assert_snapshot!(refusal(&FACTORY, "{actions: [{key: a, action: delete}]}", Signal::Logs), @"processors::attributes:1: processors::attributes::actions: only attributes of spans can be changed here, not those of logs");
}
