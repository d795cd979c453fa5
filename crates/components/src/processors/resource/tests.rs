use serde_json::json;

use super::super::testing::{Trial, object, refusal, request, span, spans, traces};
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

/// Scenario: actions that change nothing.
/// Guarantees: the request stays as it came.
#[tokio::test]
async fn untouched_bytes_are_passed_on() {
    let trial = Trial::new(&FACTORY, "{attributes: [{key: absent, action: delete}]}", Signal::Traces).unwrap();
    trial.node.consume(traces(&request(&json!({"k": 1}), &[span(1, "one", &json!({}))])).into()).await.unwrap();
    assert!(!trial.sink.0.lock().unwrap()[0].is_edited());
}

/// Scenario: configurations without actions, and for another signal.
/// Guarantees: they are refused, and told why.
#[test]
fn refused() {
    insta::assert_snapshot!(refusal(&FACTORY, "{attributes: []}", Signal::Traces), @r#"processors::resource:1: processors::resource::attributes: missing required field "attributes""#);
    insta::assert_snapshot!(refusal(&FACTORY, "{attributes: [{key: a, action: delete}]}", Signal::Metrics), @"processors::resource:1: processors::resource::attributes: only resources of spans can be changed here, not those of metrics");
}
