use std::collections::BTreeMap;

use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{ScopeIx, Value};
use spanmill_pipeline::{Batch, Telemetry};

use super::super::testing::Sink;
use super::*;

/// One span with an event, in a scope and a resource; every one of them has the attributes.
fn request(name: &str, kind: u8, attributes: &[(&str, Value<'_>)]) -> Traces {
    let message = |fields: &[(u32, &[u8])]| {
        let mut out = Vec::new();
        for (number, body) in fields {
            put_field(&mut out, *number, Payload::Bytes(body));
        }
        out
    };
    let event = message(&[(2, b"event")]);
    let mut span = message(&[(5, name.as_bytes()), (11, &event)]);
    put_field(&mut span, 6, Payload::Varint(kind.into()));
    let scope = message(&[(1, &message(&[(1, b"scope")])), (2, &span)]);
    let request = message(&[(1, &message(&[(1, &[]), (2, &scope)]))]);
    let mut traces = Traces::parse(request.into()).unwrap();
    let (span, scope) = (traces.span_ixs().next().unwrap(), ScopeIx::default());
    let resource = traces.resources().next().unwrap().ix();
    for (key, value) in attributes {
        traces.set_attribute(span, key, *value);
        traces.set_attribute(scope, key, *value);
        traces.set_attribute(resource, key, *value);
    }
    let mut body = event.clone();
    for (key, value) in attributes {
        spanmill_otlp::put_key_value(&mut body, EVENT_TAG, key, value);
    }
    let mut patch = Patch::new(Part::Span);
    let pos = traces.span(span).unwrap().events().next().unwrap().pos;
    patch.replace_field(pos, &message(&[(11, &body)]));
    traces.apply(span, &patch);
    traces.freeze()
}

fn create(yaml: &str) -> Result<(Arc<dyn Node>, Arc<Sink>), ConfigError> {
    let (id, sink, telemetry) =
        (ComponentId::new("redaction", "").unwrap(), Arc::new(Sink::default()), Telemetry::default());
    let section = Section::from_yaml("processors::redaction", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    Ok(((FACTORY.create)(context, Signal::Traces, sink.clone())?, sink))
}

async fn redact(yaml: &str, traces: Traces) -> Traces {
    let (node, sink) = create(yaml).unwrap();
    node.consume(Batch::Traces(traces)).await.unwrap();
    let redacted = sink.0.lock().unwrap().pop().unwrap();
    // What is written out counts, not what the views show.
    Traces::parse(redacted.encode()).unwrap()
}

fn texts<'a>(attributes: impl Iterator<Item = spanmill_otlp::Attribute<'a>>) -> BTreeMap<String, String> {
    let text = |attribute: &spanmill_otlp::Attribute<'_>| {
        String::from_utf8(text::text_of(attribute.value).into_owned()).unwrap()
    };
    attributes.map(|attribute| (attribute.key_str().unwrap().to_owned(), text(&attribute))).collect()
}

/// The attributes of the span, which must be the same everywhere else.
async fn everywhere(yaml: &str, attributes: &[(&str, Value<'_>)]) -> BTreeMap<String, String> {
    let traces = redact(yaml, request("name", 1, attributes)).await;
    let span = traces.spans().next().unwrap();
    let found = texts(span.attributes());
    assert_eq!(texts(span.scope().attributes()), found);
    assert_eq!(texts(span.resource().attributes()), found);
    assert_eq!(texts(span.events().next().unwrap().attributes()), found);
    assert_eq!(span.events().next().unwrap().name(), b"event");
    found
}

async fn one(yaml: &str, value: &str) -> String {
    everywhere(yaml, &[("a", Value::Str(value))]).await.remove("a").unwrap_or_default()
}

/// Scenario: attributes of resource, scope, span and event that are allowed, ignored, blocked by key and by value.
/// Guarantees: each is handled in the same way everywhere, and the summary tells what happened.
#[tokio::test]
async fn attributes_everywhere() {
    let yaml = r#"{allowed_keys: [card, api_token, safe], ignored_keys: [raw], blocked_values: ["4[0-9]{15}"],
        blocked_key_patterns: [token], allowed_values: ["^ok"], summary: debug}"#;
    let card = "a 4111111111111111 b";
    let attributes = [
        ("card", Value::Str(card)),
        ("api_token", Value::Int(5)),
        ("safe", Value::Str("ok 4111111111111111")),
        ("raw", Value::Str(card)),
        ("other", Value::Str("x")),
    ];
    let found = everywhere(yaml, &attributes).await;
    let expected = [
        ("api_token", "****"),
        ("card", "a **** b"),
        ("raw", card),
        ("redaction.allowed.count", "1"),
        ("redaction.allowed.keys", "safe"),
        ("redaction.ignored.count", "1"),
        ("redaction.masked.count", "2"),
        ("redaction.masked.keys", "api_token,card"),
        ("redaction.redacted.count", "1"),
        ("redaction.redacted.keys", "other"),
        ("safe", "ok 4111111111111111"),
    ];
    assert_eq!(found, expected.map(|(key, text)| (key.to_owned(), text.to_owned())).into());
}

/// Scenario: nothing has to be changed.
/// Guarantees: the very bytes that came in are passed on.
#[tokio::test]
async fn untouched_bytes_are_passed_on() {
    let (node, sink) =
        create(r#"{allow_all_keys: true, blocked_values: ["secret", "[0-9]{9}"], summary: info}"#).unwrap();
    let traces = request("n", 3, &[("a", Value::Str("harmless"))]);
    let before = traces.encode();
    node.consume(Batch::Traces(traces)).await.unwrap();
    let after = sink.0.lock().unwrap().pop().unwrap();
    assert!(!after.is_edited());
    assert_eq!(after.encode(), before);
}

/// Scenario: messages as JSON, with a secret as a text, as a number, behind an escape, under a blocked key, and in JSON in JSON.
/// Guarantees: the documents stay JSON, with everything masked that must be; without the option they are texts like any other.
#[tokio::test]
async fn json_stays_json() {
    let rules = r#"allow_all_keys: true, blocked_values: ["4[0-9]{15}", "S.cret"], blocked_key_patterns: [password], ignored_keys: [id]"#;
    let inside = format!("{{{rules}, inside_json: true}}");
    for (given, expected) in [
        (r#"[{"role": "user", "content": "card 4111111111111111"}]"#, r#"[{"role": "user", "content": "card ****"}]"#),
        (r#"{"n":4111111111111111}"#, r#"{"n":4111111111111111}"#),
        (r#"{"a":"S\u00e9cret"}"#, r#"{"a":"****"}"#),
        (r#"{"password" : {"deep": [1]}, "b": 1}"#, r#"{"password" : "****", "b": 1}"#),
        (r#"{"id":"4111111111111111","x":"4111111111111111"}"#, r#"{"id":"4111111111111111","x":"****"}"#),
        (
            r#"{"arguments":"{\"card\":\"4111111111111111\",\"password\":\"a\"}"}"#,
            r#"{"arguments":"{\"card\":\"****\",\"password\":\"****\"}"}"#,
        ),
        (r#"{"broken": "4111111111111111""#, r#"{"broken": "****""#),
        ("no document 4111111111111111", "no document ****"),
    ] {
        assert_eq!(one(&inside, given).await, expected);
    }
    let all = format!("{{{rules}, inside_json: true, redact_all_types: true}}");
    assert_eq!(one(&all, r#"{"n":4111111111111111, "b":true}"#).await, r#"{"n":"****", "b":true}"#);
    let outside = format!("{{{rules}}}");
    assert_eq!(one(&outside, r#"{"n":4111111111111111}"#).await, r#"{"n":****}"#);
}

/// Scenario: names of spans of HTTP and of databases, and ones that must stay.
/// Guarantees: they are sanitised by what the attributes say after they were redacted.
#[tokio::test]
async fn names() {
    let all = "{allow_all_keys: true, url_sanitizer: {enabled: true}, db_sanitizer: {sql: {enabled: true}}}";
    for (yaml, name, kind, system, expected) in [
        (all, "GET /users/12345/orders", 2, None, "GET /users/*/orders"),
        (all, "GET /users/12345/orders", 1, None, "GET /users/12345/orders"),
        (all, "/12/34", 3, None, "/12/34"),
        (all, "SELECT 5", 3, Some("postgresql"), "SELECT ?"),
        (all, "SELECT 5", 5, Some("postgresql"), "SELECT 5"),
        ("{db_sanitizer: {sql: {enabled: true}}}", "SELECT 5", 3, Some("postgresql"), "SELECT 5"),
        (
            "{allow_all_keys: true, allowed_values: [SEL], db_sanitizer: {sql: {enabled: true}}}",
            "SELECT 5",
            3,
            Some("mysql"),
            "SELECT 5",
        ),
    ] {
        let attributes: Vec<_> = system.map(|system| ("db.system", Value::Str(system))).into_iter().collect();
        let traces = redact(yaml, request(name, kind, &attributes)).await;
        assert_eq!(String::from_utf8_lossy(traces.spans().next().unwrap().name()), expected);
    }
}

/// Scenario: configurations with mistakes.
/// Guarantees: the message names the option and what is wrong with it; keys are not shown.
#[test]
fn mistakes_are_named() {
    let refused = |yaml| create(yaml).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string());
    insta::assert_snapshot!(refused("{blocked_values: [a, '(']}"), @r#"processors::redaction:1: processors::redaction::blocked_values[1]: invalid pattern "(": unclosed group"#);
    insta::assert_snapshot!(refused("{hash_function: sha256}"), @r#"processors::redaction:1: processors::redaction::hash_function: unknown hash function "sha256", valid are sha1, sha3, md5, hmac-sha256 and hmac-sha512"#);
    insta::assert_snapshot!(refused("{hash_function: hmac-sha512, hmac_key: secret}"), @"processors::redaction:1: processors::redaction::hmac_key: hmac-sha512 needs a key of at least 64 bytes, and this one has 6");
    insta::assert_snapshot!(refused("{blocked_value: []}"), @r#"processors::redaction:1: processors::redaction: unknown key "blocked_value", did you mean "blocked_values"? (valid keys: allow_all_keys, allowed_keys, allowed_values, blocked_key_patterns, blocked_values, db_sanitizer, hash_function, hmac_key, ignored_key_patterns, ignored_keys, inside_json, redact_all_types, summary, url_sanitizer)"#);
}
