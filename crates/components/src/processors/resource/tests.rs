use serde_json::json;

use super::super::testing::{Trial, attributes, object, opaque, refusal, request, span, spans, traces};
use super::*;

/// Scenario: actions on a resource whose spans have the same keys, and on spans without a resource.
/// Guarantees: resources are changed, one is made where there was none, and spans stay as they are.
#[tokio::test]
async fn resources_are_changed() {
    let mut given = request(&json!({"k": 1, "gone": true}), &[span(1, "one", &json!({"k": 1}))]);
    let bare = json!({"scopeSpans": [{"spans": [span(1, "bare", &json!({}))]}]});
    given["resourceSpans"].as_array_mut().unwrap().push(bare);
    let yaml = "{attributes: [{key: k, action: upsert, value: new}, {key: gone, action: delete}]}";
    let sent = Trial::run(&FACTORY, yaml, &given).await;
    for resource in sent["resourceSpans"].as_array().unwrap() {
        assert_eq!(object(&resource["resource"]), json!({"k": "new"}));
    }
    assert_eq!(object(spans(&sent)[0]), json!({"k": 1}));
}

/// Scenario: actions on resources of logs and of metrics, with a resource and without.
/// Guarantees: they are as in traces; the items stay as they are.
#[tokio::test]
async fn resources_of_all_signals() {
    let own = attributes(&json!({"k": 1, "gone": true}));
    let yaml = "{attributes: [{key: k, action: upsert, value: new}, {key: gone, action: delete}]}";
    for (signal, groups, scopes, items) in [
        (Signal::Logs, "resourceLogs", "scopeLogs", "logRecords"),
        (Signal::Metrics, "resourceMetrics", "scopeMetrics", "metrics"),
    ] {
        let inner = json!([{items: [{"name": "n", "attributes": own}]}]);
        let given =
            json!({groups: [{"resource": {"attributes": own}, scopes: inner, "schemaUrl": "u"}, {scopes: inner}]});
        let before = Trial::run_opaque(&FACTORY, "{attributes: [{key: absent, action: delete}]}", signal, &given).await;
        let sent = Trial::run_opaque(&FACTORY, yaml, signal, &given).await;
        for (now, before) in sent[groups].as_array().unwrap().iter().zip(before[groups].as_array().unwrap()) {
            assert_eq!(object(&now["resource"]), json!({"k": "new"}));
            assert_eq!((&now[scopes], &now["schemaUrl"]), (&before[scopes], &before["schemaUrl"]));
        }
    }
}

/// Scenario: actions that change nothing.
/// Guarantees: the request stays as it came.
#[tokio::test]
async fn untouched_bytes_are_passed_on() {
    let trial = Trial::new(&FACTORY, "{attributes: [{key: absent, action: delete}]}", Signal::Traces).unwrap();
    trial.node.consume(traces(&request(&json!({"k": 1}), &[span(1, "one", &json!({}))])).into()).await.unwrap();
    assert!(!trial.sink.0.lock().unwrap()[0].is_edited());
    let trial = Trial::new(&FACTORY, "{attributes: [{key: absent, action: delete}]}", Signal::Logs).unwrap();
    let given = opaque(Signal::Logs, &json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}));
    trial.node.consume(given.clone().into()).await.unwrap();
    assert_eq!(trial.sink.1.lock().unwrap()[0].bytes(), given.bytes());
}

/// Scenario: configurations without actions.
/// Guarantees: they are refused, and told why.
#[test]
fn refused() {
    insta::assert_snapshot!(refusal(&FACTORY, "{attributes: []}", Signal::Traces), @r#"processors::resource:1: processors::resource::attributes: missing required field "attributes""#);
    insta::assert_snapshot!(refusal(&FACTORY, "{attributes: []}", Signal::Metrics), @r#"processors::resource:1: processors::resource::attributes: missing required field "attributes""#);
}
