use serde_json::json;

use super::*;
use crate::connectors::testing::{lines, make, opaque, run, span, traces};

fn shop(spans: &serde_json::Value) -> Batch {
    traces(&[("service.name", "shop")], spans)
}

/// Scenario: no options.
/// Guarantees: spans and events are counted under the Collector's names; without events there is no metric of them.
#[tokio::test]
async fn everything_by_default() {
    let mut with_event = span("a", 1, &json!({}));
    with_event["events"] = json!([{"name": "e"}]);
    let batches = vec![shop(&json!([span("b", 1, &json!({})), with_event])), shop(&json!([span("c", 1, &json!({}))]))];
    let metrics = run(&FACTORY, "", batches).await;
    assert_eq!(lines(&metrics), ["trace.span.count{} 1", "trace.span.count{} 2", "trace.span.event.count{} 1"]);
}

/// Scenario: conditions and attributes with and without a default.
/// Guarantees: what does not meet them, or lacks an attribute, is not counted; values of different types are told apart.
#[tokio::test]
async fn conditions_and_attributes() {
    let spans = json!([
        span("a", 1, &json!({"n": 1})),
        span("a", 1, &json!({"n": "1"})),
        span("b", 1, &json!({"n": 1})),
        span("a", 1, &json!({})),
    ]);
    let yaml = r#"{spans: {x: {conditions: ['name == "a"'], attributes: [{key: n}]}, y: {attributes: [{key: m, default_value: 5}]}}}"#;
    let metrics = run(&FACTORY, yaml, vec![shop(&spans)]).await;
    assert_eq!(lines(&metrics), ["x{n=1} 1", "x{n=1} 1", "y{m=5} 4"]);
}

/// Scenario: a condition that cannot be evaluated for one span.
/// Guarantees: the request is refused for good, and nothing is counted.
#[tokio::test]
async fn failing_conditions_refuse() {
    let (connector, sink) = make(&FACTORY, "{spans: {x: {conditions: ['Int(name) > 0']}}}", &[Signal::Traces]).unwrap();
    let error = connector.consume(shop(&json!([span("a", 1, &json!({}))]))).await.unwrap_err();
    assert!(!error.retryable);
    assert!(sink.0.lock().unwrap().is_empty());
}

/// Scenario: logs and metrics.
/// Guarantees: records, metrics and data points are counted, by attributes of theirs or of their resource.
#[tokio::test]
async fn logs_and_metrics() {
    let resource = json!({"attributes": [{"key": "env", "value": {"stringValue": "p"}}]});
    let logs = opaque(
        Signal::Logs,
        &json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [
            {"timeUnixNano": "5"}, {"timeUnixNano": "7", "attributes": [{"key": "env", "value": {"stringValue": "q"}}]},
        ]}]}]}),
    );
    let metrics = opaque(
        Signal::Metrics,
        &json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "g", "gauge": {"dataPoints": [{}, {}]}}, {"name": "h", "histogram": {"dataPoints": [{}]}},
        ]}]}]}),
    );
    let counted = run(&FACTORY, "{logs: {l: {attributes: [{key: env}]}}}", vec![logs, metrics]).await;
    assert_eq!(lines(&counted), ["l{env=p} 1", "l{env=q} 1", "metric.count{} 2", "metric.datapoint.count{} 3"]);
}

/// Scenario: conditions on log records, metrics and data points, which look at them, their scope and their resource; and one that cannot be evaluated.
/// Guarantees: what does not meet them is not counted, also beside metrics without conditions; the last refuses the request.
#[tokio::test]
async fn conditions_on_logs_and_metrics() {
    let resource = json!({"attributes": [{"key": "env", "value": {"stringValue": "p"}}]});
    let record = |severity: u8, body: &str| json!({"severityNumber": severity, "body": {"stringValue": body}});
    let logs = opaque(
        Signal::Logs,
        &json!({"resourceLogs": [
            {"resource": resource, "scopeLogs": [{"scope": {"name": "s"}, "logRecords": [record(9, "a"), record(17, "b")]}, {"logRecords": [record(17, "c")]}]},
            {"scopeLogs": [{"logRecords": [record(17, "d")]}]},
        ]}),
    );
    let yaml = r#"{logs: {all: {}, bad: {conditions: ['severity_number >= SEVERITY_NUMBER_ERROR and resource.attributes["env"] == "p"']},
        c: {conditions: ['instrumentation_scope.name == "s"', 'body == "d"']}}}"#;
    let counted = run(&FACTORY, yaml, vec![logs.clone()]).await;
    assert_eq!(lines(&counted), ["all{} 1", "all{} 3", "bad{} 2", "c{} 1", "c{} 2"]);

    let metrics = opaque(
        Signal::Metrics,
        &json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "g", "gauge": {"dataPoints": [{"asInt": "1"}, {"asInt": "5"}]}}, {"name": "h", "histogram": {"dataPoints": [{"count": "7"}]}},
        ]}]}]}),
    );
    let yaml = r#"{metrics: {h: {conditions: ['type == METRIC_DATA_TYPE_HISTOGRAM']}},
        datapoints: {big: {conditions: ['value_int > 2', 'metric.name == "h" and count == 7']}, all: {}}}"#;
    let counted = run(&FACTORY, yaml, vec![metrics]).await;
    assert_eq!(lines(&counted), ["all{} 3", "big{} 2", "h{} 1"]);

    let (connector, sink) = make(&FACTORY, "{logs: {x: {conditions: ['Int(body) > 0']}}}", &[Signal::Logs]).unwrap();
    assert!(!connector.consume(logs).await.unwrap_err().retryable);
    assert!(sink.0.lock().unwrap().is_empty());
}

/// Scenario: configurations with mistakes.
/// Guarantees: each is told with its path.
#[test]
fn mistakes_are_told() {
    let refused = |yaml: &str| make(&FACTORY, yaml, &[Signal::Logs]).map(|_| ()).unwrap_err().to_string();
    let wrong = refused("{logs: {l: {conditions: ['log.bod == 1']}}}");
    assert!(wrong.contains("logs::l::conditions[0]") && wrong.contains("did you mean"), "{wrong}");
    insta::assert_snapshot!(refused("{metrics: {m: {attributes: [{key: a}]}}}"), @r#"connectors::x:1: connectors::x::metrics::m::attributes: metrics attributes not supported: metric "m""#);
    insta::assert_snapshot!(refused("{spans: {s: {attributes: [{}]}}}"), @"connectors::x:1: connectors::x::spans::s::attributes[0]: attribute key missing");
}
