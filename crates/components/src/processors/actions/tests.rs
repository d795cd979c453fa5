use serde::Deserialize;
use serde_json::{Value as Json, json};
use spanmill_config::Section;
use spanmill_otlp::{Part, Traces};
use spanmill_pipeline::Client;

use super::super::testing::{object, request, span, traces};
use super::*;

#[derive(Deserialize)]
struct Config {
    actions: Vec<ActionConfig>,
}

fn compile(yaml: &str) -> Result<Actions, String> {
    let section = Section::from_yaml("x", &format!("{{actions: [{yaml}]}}")).unwrap();
    let config: Config = section.parse().map_err(|error| error.to_string())?;
    Actions::compile(&section, "actions", &config.actions).map_err(|error| error.to_string())
}

fn apply(actions: &Actions, traces: &mut Traces) {
    let mut editor = actions.editor(Part::Span);
    for ix in traces.span_ixs() {
        let patch = editor.edit(traces.span(ix).unwrap().message());
        traces.apply(ix, patch);
    }
}

/// What actions make of the attributes of a span. Another span before and behind it shows whether anything is left over.
fn after(yaml: &str, before: &Json) -> Json {
    let others = json!({"other": "x", "secret.other": 1});
    let spans = [span(1, "first", &others), span(1, "this", before), span(1, "last", before)];
    let mut traces = traces(&request(&json!({}), &spans));
    apply(&compile(yaml).unwrap(), &mut traces);
    let mut text = Vec::new();
    spanmill_otlp::json::from_protobuf(spanmill_otlp::Signal::Traces, &traces.encode(), &mut text).unwrap();
    let sent: Json = serde_json::from_slice(&text).unwrap();
    let spans = super::super::testing::spans(&sent);
    assert_eq!(object(spans[1]), object(spans[2]));
    object(spans[1])
}

/// Scenario: values set where the key is there and where it is not.
/// Guarantees: insert sets absent ones, update present ones, upsert both, of any type; a source without a value does nothing, unless
/// there is a default.
#[test]
fn values_are_set() {
    let before = json!({"a": 1, "b": {"k": [1, "x"]}});
    assert_eq!(after("{key: a, action: insert, value: 2}", &before), before);
    assert_eq!(after("{key: c, action: update, value: 2}", &before), before);
    assert_eq!(after("{key: a, action: Update, value: 2.5}", &before), json!({"a": 2.5, "b": {"k": [1, "x"]}}));
    assert_eq!(
        after("{key: c, action: INSERT, from_attribute: b}", &json!({"b": {"k": [1]}})),
        json!({"b": {"k": [1]}, "c": {"k": [1]}})
    );
    let mixed = "{key: a, action: upsert, value: [1, {x: false}, null]}, {key: c, action: upsert, value: ''}";
    assert_eq!(after(mixed, &json!({"a": 1})), json!({"a": [1, {"x": false}, null], "c": ""}));
    assert_eq!(after("{key: a, action: upsert, from_attribute: z}", &before), before);
    assert_eq!(
        after("{key: a, action: upsert, from_attribute: z, default_value: 7}", &json!({"a": 1})),
        json!({"a": 7})
    );
}

/// Scenario: actions that read what actions before them have made, removed and set again.
/// Guarantees: each sees what the one before has left.
#[test]
fn actions_follow_one_another() {
    let chain = "{key: n, action: convert, converted_type: string}, {key: n, action: extract, pattern: '^(?P<first>.)(?P<n>.*)$'},
        {key: copy, action: upsert, from_attribute: n}, {key: n, action: delete}, {key: n, action: insert, value: new},
        {key: n, action: insert, value: never}";
    assert_eq!(after(chain, &json!({"n": 123})), json!({"n": "new", "first": "1", "copy": "23"}));
}

/// Scenario: keys named by patterns, among them keys that other actions name and make.
/// Guarantees: all that match are hashed and removed, and no others; what has no hash becomes empty.
#[test]
fn patterns_of_keys() {
    let before = json!({"secret.a": "x", "secret.list": [1], "open": "y"});
    let removed = "{key: secret.new, action: insert, value: 1}, {action: delete, pattern: ^secret}";
    assert_eq!(after(removed, &before), json!({"open": "y"}));
    let hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    assert_eq!(
        after("{action: hash, pattern: ^secret}", &before),
        json!({"secret.a": hash, "secret.list": "", "open": "y"})
    );
}

/// Scenario: a key that occurs twice is removed, set, and left alone.
/// Guarantees: what an action changes is there once or not at all, so that nothing stays readable; the rest stays as it came.
#[test]
fn repeated_keys() {
    let twice = |yaml: &str| {
        let mut given = span(1, "x", &json!({"k": "one", "z": 1}));
        given["attributes"].as_array_mut().unwrap().push(json!({"key": "k", "value": {"stringValue": "two"}}));
        let mut traces = traces(&request(&json!({}), &[given]));
        apply(&compile(yaml).unwrap(), &mut traces);
        let span = traces.spans().next().unwrap();
        span.attributes()
            .filter(|found| found.key == b"k")
            .map(|found| found.value.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(twice("{key: k, action: delete}").is_empty());
    assert_eq!(twice("{key: k, action: upsert, value: v}"), ["v"]);
    assert_eq!(twice("{key: z, action: delete}"), ["one", "two"]);
}

/// Scenario: values are taken from a client that is known, and from none.
/// Guarantees: its address, headers and what an authenticator found out are found; an unknown address is empty, as in the Collector, and anything else has its default.
#[tokio::test]
async fn clients_are_asked() {
    let yaml = "{key: ip, action: upsert, from_context: client.address}, {key: t, action: upsert, from_context: metadata.X-Tenant},
        {key: u, action: upsert, from_context: x-tenant}, {key: a, action: upsert, from_context: auth.subject, default_value: none},
        {key: g, action: upsert, from_context: auth.claims.group}";
    let mut headers = http::HeaderMap::new();
    headers.append("x-tenant", "one".parse().unwrap());
    headers.append("x-tenant", "two".parse().unwrap());
    let auth = std::collections::BTreeMap::from([("group".to_owned(), "ours".to_owned())]);
    let (address, auth) = (Some([10, 0, 0, 1].into()), Some(std::sync::Arc::new(auth)));
    let client = Client { address, headers: Some(headers), auth, ..Client::default() };
    let known = client.scope(async { after(yaml, &json!({})) }).await;
    assert_eq!(known, json!({"ip": "10.0.0.1", "t": "one;two", "u": "one;two", "a": "none", "g": "ours"}));
    assert_eq!(after(yaml, &json!({})), json!({"ip": "", "a": "none"}));
}

/// Scenario: numbers and texts are converted.
/// Guarantees: what cannot be converted stays; doubles beyond all integers become the smallest one.
#[test]
fn conversions() {
    let to = |target: &str, value: Json| {
        after(&format!("{{key: k, action: convert, converted_type: {target}}}"), &json!({"k": value}))["k"].clone()
    };
    assert_eq!(to("int", json!(-2.9)), json!(-2));
    assert_eq!(to("int", json!(1e300)), json!(i64::MIN));
    assert_eq!(to("int", json!("+12")), json!(12));
    assert_eq!(to("int", json!("12.0")), json!("12.0"));
    assert_eq!(to("double", json!("1_0.5")), json!(10.5));
    assert_eq!(to("double", json!(true)), json!(1));
    assert_eq!(to("string", json!({"b": [1.5], "a": null})), json!("{\"a\":null,\"b\":[1.5]}"));
    assert_eq!(to("double", json!([1])), json!([1]));
}

/// Scenario: actions with mistakes.
/// Guarantees: the message names action and option, and says what is wrong.
#[test]
fn mistakes_are_named() {
    let refused = |yaml: &str| compile(yaml).unwrap_err();
    insta::assert_snapshot!(refused("{key: a, action: insert}, {action: upsert, value: 1}"), @r"
    x:1: x::actions[0]::value: missing: one of value, from_attribute, from_context and default_value must be given
    x:1: x::actions[1]::key: missing: the action needs an attribute to act on
    ");
    insta::assert_snapshot!(refused("{key: a, action: rename}"), @r#"x:1: x::actions[0]::action: unsupported action "rename", valid are insert, update, upsert, delete, hash, extract and convert"#);
    insta::assert_snapshot!(refused("{key: a, action: delete, pattern: '('}"), @r#"x:1: x::actions[0]::pattern: invalid pattern "(": unclosed group"#);
    insta::assert_snapshot!(refused("{key: a, action: convert, converted_type: bool}"), @r#"x:1: x::actions[0]::converted_type: unknown type "bool", valid are string, int and double"#);
    insta::assert_snapshot!(refused("{key: a, action: hash, value: 1}"), @r#"x:1: x::actions[0]::value: not used by the action "hash": must not be given"#);
    insta::assert_snapshot!(refused(""), @r#"x:1: x::actions: missing required field "actions""#);
}
