use serde_json::json;

use super::super::testing::{Trial, attributes, is_refused_at_creation, object, refusal, request, span, spans, traces};
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

/// Scenario: log records of several severities, of which some are selected.
/// Guarantees: those are changed, the others are not.
#[tokio::test]
async fn log_records_are_changed() {
    let record = |body: &str, severity: i32| json!({"body": {"stringValue": body}, "severityNumber": severity, "attributes": attributes(&json!({"k": 1}))});
    let given = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record("one", 9), record("two", 17), record("three", 17)]}]}]});
    let yaml = "{include: {log_severity_number: {min: 13}}, exclude: {match_type: regexp, log_bodies: [^th]}, actions: [{key: k, action: delete}, {key: n, action: insert, value: x}]}";
    let sent = Trial::run_opaque(&FACTORY, yaml, Signal::Logs, &given).await;
    let records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!(records.iter().map(object).collect::<Vec<_>>(), [json!({"k": 1}), json!({"n": "x"}), json!({"k": 1})]);
}

/// Scenario: points of all kinds of metrics, of which one metric is excluded by its name.
/// Guarantees: the points of the others are changed, and nothing else of them.
#[tokio::test]
async fn metric_points_are_changed() {
    let kinds = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];
    let points = json!({"dataPoints": [{"timeUnixNano": "7", "attributes": attributes(&json!({"k": 1}))}]});
    let mut metrics: Vec<_> = kinds.iter().map(|kind| json!({"name": kind, *kind: points})).collect();
    metrics.push(json!({"name": "other", "gauge": points}));
    let given = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]});
    let yaml = "{exclude: {match_type: strict, metric_names: [other]}, actions: [{key: k, action: convert, converted_type: string}, {key: n, action: insert, from_attribute: k}]}";
    let sent = Trial::run_opaque(&FACTORY, yaml, Signal::Metrics, &given).await;
    let sent = &sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    for (at, kind) in kinds.iter().enumerate() {
        let point = &sent[at][kind]["dataPoints"][0];
        assert_eq!((object(point), &point["timeUnixNano"]), (json!({"k": "1", "n": "1"}), &json!("7")), "{kind}");
    }
    assert_eq!(object(&sent[5]["gauge"]["dataPoints"][0]), json!({"k": 1}));
}

/// Scenario: configurations without actions, with unknown options, and with properties of other signals.
/// Guarantees: they are refused, and told why.
#[test]
fn refused() {
    insta::assert_snapshot!(refusal(&FACTORY, "{}", Signal::Traces), @r#"processors::attributes:1: processors::attributes::actions: missing required field "actions""#);
    insta::assert_snapshot!(refusal(&FACTORY, "{actions: [{key: a, action: delete, patern: b}]}", Signal::Traces), @r#"processors::attributes:1: processors::attributes::actions[0]: unknown key "patern", did you mean "pattern"? (valid keys: action, converted_type, default_value, from_attribute, from_context, key, pattern, value)"#);
    let by = |include: &str, signal| {
        refusal(
            &FACTORY,
            &format!("{{include: {{match_type: strict, {include}}}, actions: [{{key: a, action: delete}}]}}"),
            signal,
        )
    };
    insta::assert_snapshot!(by("span_names: [a]", Signal::Logs), @"processors::attributes:1: processors::attributes::include::span_names: should not be specified for log records");
    insta::assert_snapshot!(by("metric_names: []", Signal::Logs), @"processors::attributes:1: processors::attributes::include: at least one of attributes, resources, libraries, log_bodies, log_severity_texts, log_severity_number must be specified");
    insta::assert_snapshot!(by("metric_names: [a], libraries: [{name: a}]", Signal::Metrics), @"processors::attributes:1: processors::attributes::include::libraries: should not be specified for metrics");
    insta::assert_snapshot!(by("log_bodies: []", Signal::Metrics), @"processors::attributes:1: processors::attributes::include: at least one of metric_names and resources must be specified");
}

/// Scenario: properties of log records and metrics where spans are meant, none at all, and patterns that are none; and what the Collector's check
/// of a configuration looks at.
/// Guarantees: the former is seen only where a pipeline has the processor, as in the Collector; the latter always.
#[test]
fn properties_are_checked_where_they_are_used() {
    let by = |include: &str| format!("{{include: {{{include}}}, actions: [{{key: a, action: delete}}]}}");
    for include in [
        "match_type: strict, log_bodies: [a]",
        "match_type: strict, metric_names: [a]",
        "match_type: strict",
        "match_type: regexp, services: ['(']",
        "match_type: loose, services: [a]",
    ] {
        assert!(is_refused_at_creation(&FACTORY, &by(include), Signal::Traces), "{include}");
    }
    for checked in ["{}", "{actions: [{key: a, action: delete}], includes: {}}"] {
        assert!(!is_refused_at_creation(&FACTORY, checked, Signal::Traces), "{checked}");
    }
}
