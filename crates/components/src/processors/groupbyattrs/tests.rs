use serde_json::{Value as Json, json};

use super::super::testing::{Trial, object, refusal, request, span, traces};
use super::*;

/// Each resource as its attributes and the names of its spans by scope.
fn shape(sent: &Json) -> Json {
    let scope =
        |scope: &Json| scope["spans"].as_array().unwrap().iter().map(|span| span["name"].clone()).collect::<Json>();
    let resource = |resource: &Json| {
        let scopes: Json = resource["scopeSpans"].as_array().unwrap().iter().map(scope).collect();
        json!([object(&resource["resource"]), scopes])
    };
    sent["resourceSpans"].as_array().unwrap().iter().map(resource).collect()
}

/// Scenario: spans with some of the keys, a resource that has one already, and two resources that are equal but for the order.
/// Guarantees: values move to resources and replace what is there; equal resources and scopes become one; types are kept apart.
#[tokio::test]
async fn attributes_move_to_resources() {
    let one = [
        span(1, "a", &json!({"t": "x", "k": 1})),
        span(1, "b", &json!({"k": 1})),
        span(1, "c", &json!({"t": 1})),
        span(1, "d", &json!({"t": "x"})),
    ];
    let mut given = request(&json!({"s": "web", "t": "old"}), &one);
    let more = request(&json!({"t": "x", "s": "web"}), &[span(1, "e", &json!({}))]);
    given["resourceSpans"].as_array_mut().unwrap().push(more["resourceSpans"][0].clone());
    let trial = Trial::new(&FACTORY, "{keys: [t, '', t]}", Signal::Traces).unwrap();
    trial.node.consume(traces(&given).into()).await.unwrap();
    let sent = trial.sent().remove(0);
    assert_eq!(
        shape(&sent),
        json!([[{"s": "web", "t": "x"}, [["a", "d", "e"]]], [{"s": "web", "t": "old"}, [["b"]]], [{"s": "web", "t": 1}, [["c"]]]])
    );
    assert_eq!(object(&sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0]), json!({"k": 1}));
    let count = |name: &str| trial.telemetry.counter(&format!("otelcol_processor_groupbyattrs_{name}"), "", &[]).get();
    assert_eq!((count("num_grouped_spans"), count("num_non_grouped_spans")), (3, 2));
}

/// Scenario: no keys, and requests whose parts repeat.
/// Guarantees: what has the same resource and scope is put together.
#[tokio::test]
async fn compaction() {
    let mut given = request(&json!({"s": "web"}), &[span(1, "a", &json!({"t": 1}))]);
    let again = given["resourceSpans"][0].clone();
    given["resourceSpans"].as_array_mut().unwrap().push(again);
    assert_eq!(shape(&Trial::run(&FACTORY, "{}", &given).await), json!([[{"s": "web"}, [["a", "a"]]]]));
}

/// Scenario: a small request with a large resource, each of whose spans would need a resource of its own.
/// Guarantees: it is refused for good before memory is used up.
#[tokio::test]
async fn growth_is_bounded() {
    let many: Vec<Json> = (0..200).map(|number| span(1, "x", &json!({"t": number}))).collect();
    let given = request(&json!({"large": "x".repeat(1 << 20)}), &many);
    let trial = Trial::new(&FACTORY, "{keys: [t]}", Signal::Traces).unwrap();
    let error = trial.node.consume(traces(&given).into()).await.unwrap_err();
    assert_eq!((error.code, error.retryable), (Code::ResourceExhausted, false));
}

/// Scenario: the processor in pipelines of other signals.
/// Guarantees: keys are refused there; without any everything passes.
#[test]
fn other_signals() {
    insta::assert_snapshot!(refusal(&FACTORY, "{keys: [a]}", Signal::Logs), @"processors::groupbyattrs:1: processors::groupbyattrs::keys: only spans can be grouped here; without keys metrics and logs pass through");
    assert_eq!(refusal(&FACTORY, "{keys: ['']}", Signal::Metrics), "accepted");
}
