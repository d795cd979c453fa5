//! Sequences of statements over whole requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use proptest::prelude::*;
use spanmill_otlp::{Payload, Traces, Value, put_field, put_key_value};
use spanmill_ottl::{Compiler, Context, ErrorMode, Sequence, SequenceText};

/// Statements that set, remove, rewrite and fail.
const STATEMENTS: &[&str] = &[
    r#"set(attributes["a"], "new")"#,
    r#"set(attributes["b"]["c"], attributes["a"])"#,
    r#"set(attributes["long"], attributes["b"])"#,
    r#"delete_key(attributes, "a")"#,
    r#"delete_key(attributes["b"], "c")"#,
    r#"keep_keys(attributes, ["a", "b"])"#,
    r#"delete_matching_keys(attributes, "^l")"#,
    r#"flatten(attributes, depth=2)"#,
    r#"limit(attributes, 2, ["b"])"#,
    r#"truncate_all(attributes, 3)"#,
    r#"stringify_all(attributes)"#,
    r#"merge_maps(attributes, {"a": 1, "z": [1, 2]}, "upsert")"#,
    r#"replace_pattern(attributes["a"], "n", "nn")"#,
    r#"replace_all_patterns(attributes, "key", "(a|b)", "k$1")"#,
    r#"append(attributes["list"], name)"#,
    r#"set(name, Concat([name, "x"], "-"))"#,
    r#"set(status.message, attributes["a"])"#,
    r#"set(attributes["failed"], attributes["a"][3])"#,
    r#"set(attributes["n"], Len(attributes))"#,
    r#"set(cache["k"], attributes["a"])"#,
    r#"set(attributes["from"], cache["k"])"#,
    r#"set(trace_state["k"], "v")"#,
    r#"clear(attributes["b"])"#,
];

/// A span: its name, and attributes by key with texts or numbers.
type Span = (String, Vec<(&'static str, Option<String>)>);

fn span() -> impl Strategy<Value = Span> {
    let key = prop::sample::select(vec!["a", "b", "long", "list", ""]);
    let value = prop_oneof![Just(None), "[a-zü]{0,40}".prop_map(Some)];
    ("[a-z]{0,6}", prop::collection::vec((key, value), 0..6))
}

fn encode(spans: &[Span]) -> Bytes {
    let (mut scope, mut resource, mut request) = (Vec::new(), Vec::new(), Vec::new());
    for (name, attributes) in spans {
        let mut span = Vec::new();
        put_field(&mut span, 5, Payload::Bytes(name.as_bytes()));
        for (key, value) in attributes {
            let value = value.as_deref().map_or(Value::Int(7), Value::Str);
            put_key_value(&mut span, 0x4a, key, &value);
        }
        put_field(&mut scope, 2, Payload::Bytes(&span));
    }
    put_field(&mut resource, 2, Payload::Bytes(&scope));
    put_field(&mut request, 1, Payload::Bytes(&resource));
    request.into()
}

fn apply(sequence: &Sequence, spans: &[Span]) -> Vec<Vec<u8>> {
    let mut traces = Traces::parse(encode(spans)).expect("well-formed");
    sequence.apply(&mut traces, None, None, &mut |_, _| {}).expect("errors are ignored");
    let traces = Traces::parse(traces.encode()).expect("what is written is well-formed");
    traces.spans().map(|span| span.message().to_vec()).collect()
}

proptest! {
    /// Scenario: arbitrary statements over arbitrary spans, in one request and one span a request.
    /// Guarantees: what becomes of a span does not depend on its neighbours, and is well-formed.
    #[test]
    fn spans_do_not_depend_on_their_neighbours(
        statements in prop::collection::vec(prop::sample::select(STATEMENTS), 1..8),
        spans in prop::collection::vec(span(), 1..40),
    ) {
        let statements: Vec<String> = statements.into_iter().map(str::to_owned).collect();
        let text = SequenceText { context: Some(Context::Span), statements: &statements, conditions: &[] };
        let sequence = Sequence::parse(text, ErrorMode::Ignore, Compiler::new()).expect("valid statements");
        let together = apply(&sequence, &spans);
        let apart: Vec<Vec<u8>> = spans.iter().flat_map(|span| apply(&sequence, std::slice::from_ref(span))).collect();
        prop_assert_eq!(together, apart);
    }
}

/// Scenario: a resource counts its spans, over so many spans that a request takes several passes.
/// Guarantees: the count is right: what is set on a resource is there for the next span, also in the next pass.
#[test]
fn a_resource_remembers() {
    let statements = [
        r#"set(resource.attributes["count"], 0) where resource.attributes["count"] == nil"#.to_owned(),
        r#"set(resource.attributes["count"], resource.attributes["count"] + 1)"#.to_owned(),
        // Makes as much as fills a pass.
        r#"set(attributes["copy"], Concat([attributes["a"], name], ""))"#.to_owned(),
        r#"stringify_all(attributes)"#.to_owned(),
    ];
    let text = SequenceText { context: Some(Context::Span), statements: &statements, conditions: &[] };
    let sequence = Sequence::parse(text, ErrorMode::Propagate, Compiler::new()).expect("valid statements");
    let spans: Vec<Span> = (0..20_000).map(|at| (format!("span {at}"), vec![("a", Some("x".repeat(600)))])).collect();
    let mut traces = Traces::parse(encode(&spans)).expect("well-formed");
    sequence.apply(&mut traces, None, None, &mut |_, _| {}).expect("nothing fails");
    let count = traces.resources().next().and_then(|resource| resource.attribute("count")?.as_int());
    assert_eq!(count, Some(20_000));
    let last = traces.spans().last().and_then(|span| span.attribute("copy")?.as_str()).map(str::len);
    assert_eq!(last, Some(600 + "span 19999".len()));
}
