use serde_json::json;

use super::*;
use crate::connectors::testing::{lines, make, opaque, run, span, traces};

fn shop(spans: &serde_json::Value) -> Batch {
    traces(&[("service.name", "shop"), ("zone", "a")], spans)
}

fn mistake(yaml: &str) -> String {
    make(&FACTORY, yaml, &[]).map(|_| ()).unwrap_err().to_string()
}

/// Scenario: a sum, a gauge and both kinds of histogram of spans with and without an attribute that is required.
/// Guarantees: only those with it are taken; sums add up, gauges keep the last value, histograms measure.
#[tokio::test]
async fn all_kinds() {
    let spans = json!([
        span("a", 10, &json!({"n": 1, "k": "x"})),
        span("a", 20, &json!({"n": 5, "k": "x"})),
        span("a", 40, &json!({"n": 7})),
    ]);
    let yaml = r#"{spans: [
        {name: s, sum: {value: 'attributes["n"]'}, attributes: [{key: k}]},
        {name: g, gauge: {value: 'attributes["n"] * 2'}, attributes: [{key: k, optional: true}]},
        {name: h, histogram: {value: 'Milliseconds(end_time - start_time)', count: '2'}},
        {name: e, exponential_histogram: {value: 'Milliseconds(end_time - start_time)'}, attributes: [{key: k, default_value: none}]},
    ]}"#;
    let metrics = run(&FACTORY, yaml, vec![shop(&spans)]).await;
    insta::assert_snapshot!(lines(&metrics).join("\n"), @r"
    e{k=none} 40 of 1
    e{k=x} 30 of 2
    g{k=x} 10
    g{} 14
    h{} 140 of 6
    s{k=x} 6
    ");
}

/// Scenario: a value that cannot be computed for one span, in each error mode.
/// Guarantees: the request is refused, or the span is passed over.
#[tokio::test]
async fn error_modes() {
    let spans = json!([span("a", 1, &json!({"n": 1})), span("a", 1, &json!({"n": "x"}))]);
    let yaml =
        |mode: &str| format!(r#"{{error_mode: {mode}, spans: [{{name: s, sum: {{value: 'attributes["n"]'}}}}]}}"#);
    for mode in ["ignore", "silent"] {
        assert_eq!(lines(&run(&FACTORY, &yaml(mode), vec![shop(&spans)]).await), ["s{} 1"], "{mode}");
    }
    let (connector, sink) = make(&FACTORY, &yaml("propagate"), &[]).unwrap();
    assert!(!connector.consume(shop(&spans)).await.unwrap_err().retryable);
    assert!(sink.0.lock().unwrap().is_empty());
}

/// Scenario: a sum of whole numbers and of others, and a negative count.
/// Guarantees: the sum becomes a double; the count is an error.
#[tokio::test]
async fn mixed_and_negative_numbers() {
    let spans = json!([span("a", 1, &json!({"n": 1})), span("a", 1, &json!({"n": 0.5}))]);
    let yaml = r#"{error_mode: silent, spans: [
        {name: s, sum: {value: 'attributes["n"]'}}, {name: h, histogram: {value: '1', count: '-1'}}]}"#;
    assert_eq!(lines(&run(&FACTORY, yaml, vec![shop(&spans)]).await), ["s{} 1.5"]);
}

/// Scenario: two metrics of one name, attributes of the resource, keys by an expression, conditions.
/// Guarantees: equal metrics are one; the resource has what was asked for; keys are those of the list.
#[tokio::test]
async fn resources_and_keys() {
    let spans = json!([span("a", 1, &json!({"n": 1, "k": "x"})), span("b", 1, &json!({"k": "y"}))]);
    let yaml = r#"{spans: [
        {name: s, sum: {value: '1'}, include_resource_attributes: [{key: zone}]},
        {name: s, sum: {value: '2'}, include_resource_attributes: [{key: zone}]},
        {name: t, sum: {value: '1'}, conditions: ['name == "b"'], attributes: [{keys_expression: 'Split("k,n", ",")'}]},
    ]}"#;
    let metrics = run(&FACTORY, yaml, vec![shop(&spans)]).await;
    assert_eq!(lines(&metrics), ["s{} 6", "t{k=y} 1"]);
    let zone = &metrics[0].resource.as_ref().unwrap().attributes;
    assert_eq!((zone.len(), zone[0].key.as_str()), (1, "zone"));
}

/// Scenario: log records and data points, of which some are wanted; metrics of other signals stand beside.
/// Guarantees: each kind of item makes its own metrics, by its attributes and those of its resource.
#[tokio::test]
async fn logs_and_data_points() {
    let resource = json!({"attributes": [{"key": "env", "value": {"stringValue": "p"}}]});
    let level = |text: &str| json!([{"key": "level", "value": {"stringValue": text}}]);
    let logs = opaque(
        Signal::Logs,
        &json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [
            {"severityNumber": 9, "attributes": level("info")}, {"severityNumber": 17, "attributes": level("error")}, {"severityNumber": 17},
        ]}]}]}),
    );
    let metrics = opaque(
        Signal::Metrics,
        &json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [
            {"name": "g", "gauge": {"dataPoints": [{"asInt": "2"}, {"asInt": "5"}]}}, {"name": "h", "histogram": {"dataPoints": [{"count": "7"}]}},
        ]}]}]}),
    );
    let yaml = r#"{spans: [{name: s, sum: {value: '1'}}],
        logs: [{name: l, sum: {value: severity_number}, attributes: [{key: level}]}],
        datapoints: [{name: d, sum: {value: value_int}, conditions: ['metric.name == "g" and resource.attributes["env"] == "p"']}]}"#;
    let made = run(&FACTORY, yaml, vec![logs, metrics]).await;
    assert_eq!(lines(&made), ["d{} 7", "l{level=error} 17", "l{level=info} 9"]);
    assert!(made.iter().all(|made| made.resource.as_ref().unwrap().attributes.iter().any(|found| found.key == "env")));
}

/// Scenario: configurations with a mistake each.
/// Guarantees: refused with the option's path and what is wrong.
#[test]
fn mistakes_are_told() {
    insta::assert_snapshot!(mistake("{}"), @"connectors::x:1: connectors::x: no configuration provided, at least one should be specified");
    insta::assert_snapshot!(mistake("{spans: [{name: a}]}"), @"connectors::x:1: connectors::x::spans[0]: exactly one of the metrics must be defined, 0 found");
    insta::assert_snapshot!(mistake("{spans: [{name: a, exponential_histogram: {value: '1', max_size: 1}}]}"), @"connectors::x:1: connectors::x::spans[0]::exponential_histogram::max_size: invalid histogram size: 1");
    let grok = |value: &str| format!("{{spans: [{{name: a, gauge: {{value: '{value}'}}}}]}}");
    insta::assert_snapshot!(mistake(&grok(r#"ExtractGrokPatterns(name, "%{NUMBER:n}")"#)), @"connectors::x:1: connectors::x::spans[0]::gauge::value: ExtractGrokPatterns: a single key selector[key] is required for signal to gauge");
    make(&FACTORY, &grok(r#"ExtractGrokPatterns(name, "%{NUMBER:n:int}", true)["n"]"#), &[]).map(|_| ()).unwrap();
    insta::assert_snapshot!(mistake("{logs: [{name: a}]}"), @"connectors::x:1: connectors::x::logs[0]: exactly one of the metrics must be defined, 0 found");
}
