use serde_json::{Value as Json, json};

use super::super::testing::{Trial, object, refusal, request, span, spans, traces};
use super::*;

/// Name, attributes and status of a span that went through.
async fn after(yaml: &str, name: &str, attributes: &Json) -> (String, Json, Json) {
    let mut given = span(1, name, attributes);
    given["status"] = json!({"code": 2, "message": "before"});
    let sent = Trial::run(&FACTORY, yaml, &request(&json!({}), &[given])).await;
    let span = spans(&sent)[0];
    (span["name"].as_str().unwrap_or("").to_owned(), object(span), span["status"].clone())
}

/// Scenario: names made of attributes of all types.
/// Guarantees: all must be there; values are written as Go writes them.
#[tokio::test]
async fn names_of_attributes() {
    let given = json!({"s": "x", "n": 5, "d": 1e21, "b": true, "l": [1]});
    let (name, after_attributes, _) =
        after("{name: {from_attributes: [s, n, d, b, l], separator: ' '}}", "old", &given).await;
    assert_eq!(name, "x 5 1000000000000000000000 true <unknown-attribute-type>");
    assert_eq!(after_attributes, given);
    assert_eq!(after("{name: {from_attributes: [s, absent]}}", "old", &given).await.0, "old");
}

/// Scenario: attributes taken out of names by several rules.
/// Guarantees: each works on what the one before has left, unless the first match ends it or the name is kept.
#[tokio::test]
async fn attributes_of_names() {
    let rules = r"rules: ['(?P<verb>GET|PUT) ', '/(?P<id>\d+)', 'never(?P<x>.)']";
    let of = async |options: &str| {
        after(&format!("{{name: {{to_attributes: {{{rules}{options}}}}}}}"), "GET /cart/17/x", &json!({"id": 0})).await
    };
    let (name, attributes, _) = of("").await;
    assert_eq!((name.as_str(), attributes), ("{verb} /cart/{id}/x", json!({"id": "17", "verb": "GET"})));
    let (name, attributes, _) = of(", break_after_match: true").await;
    assert_eq!((name.as_str(), attributes), ("{verb} /cart/17/x", json!({"id": 0, "verb": "GET"})));
    let (name, attributes, _) = of(", keep_original_name: true").await;
    assert_eq!((name.as_str(), attributes), ("GET /cart/17/x", json!({"id": "17", "verb": "GET"})));
}

/// Scenario: groups that take no part in a match, or lie within others. The Collector panics on both.
/// Guarantees: their attributes are set, and the name is changed where they have a place in it.
#[tokio::test]
async fn groups_without_a_place() {
    let of = async |rule: &str| {
        after(&format!("{{name: {{to_attributes: {{rules: ['{rule}']}}}}}}"), "ab", &json!({})).await
    };
    let (name, attributes, _) = of("(?P<x>x)?(?P<b>b)").await;
    assert_eq!((name.as_str(), attributes), ("a{b}", json!({"x": "", "b": "b"})));
    let (name, attributes, _) = of("(?P<all>a(?P<inner>b))").await;
    assert_eq!((name.as_str(), attributes), ("{all}", json!({"all": "ab", "inner": "b"})));
}

/// Scenario: each status is set.
/// Guarantees: it replaces the former one.
#[tokio::test]
async fn statuses() {
    assert_eq!(after("{status: {code: Ok}}", "x", &json!({})).await.2, json!({"code": 1}));
    assert_eq!(
        after("{status: {code: Error, description: bad}}", "x", &json!({})).await.2,
        json!({"code": 2, "message": "bad"})
    );
    let (name, attributes, status) = after("{status: {code: Unset}}", "x", &json!({"k": 1})).await;
    assert!(status.as_object().is_none_or(serde_json::Map::is_empty));
    assert_eq!((name.as_str(), attributes), ("x", json!({"k": 1})));
}

/// Scenario: a span that is not selected.
/// Guarantees: the request stays as it came.
#[tokio::test]
async fn others_stay() {
    let yaml = "{exclude: {match_type: strict, span_names: [x]}, status: {code: Ok}}";
    let trial = Trial::new(&FACTORY, yaml, Signal::Traces).unwrap();
    trial.node.consume(traces(&request(&json!({}), &[span(1, "x", &json!({}))])).into()).await.unwrap();
    assert!(!trial.sink.0.lock().unwrap()[0].is_edited());
}

/// Scenario: configurations with mistakes.
/// Guarantees: the message names the option.
#[test]
fn mistakes_are_named() {
    let refused = |yaml: &str| refusal(&FACTORY, yaml, Signal::Traces);
    insta::assert_snapshot!(refused("{name: {separator: x}}"), @"processors::span:1: processors::span: one of name::from_attributes, name::to_attributes::rules and status must be specified");
    insta::assert_snapshot!(refused("{status: {code: OK}}"), @r#"processors::span:1: processors::span::status::code: "OK" is no status: Unset, Ok or Error"#);
    insta::assert_snapshot!(refused("{status: {code: Ok, description: x}}"), @"processors::span:1: processors::span::status::description: can be specified for the code Error only");
    insta::assert_snapshot!(refused("{name: {to_attributes: {rules: [a, '(']}}}"), @r#"processors::span:1: processors::span::name::to_attributes::rules[1]: invalid regexp pattern "(": unclosed group"#);
}
