//! Metrics and logs, joined and split.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail by panicking")]

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use spanmill_otlp::{Limits, Opaque, Part, Patch, Payload, Reason, Signal, SplitLimit, Traces, Value, json, put_field};

fn logs(bodies: &[&str]) -> Opaque {
    let records: Vec<String> = bodies.iter().map(|body| format!(r#"{{"body":{{"stringValue":"{body}"}}}}"#)).collect();
    let text = format!(
        r#"{{"resourceLogs":[{{"resource":{{}},"scopeLogs":[{{"scope":{{"name":"s"}},"logRecords":[{}]}}]}}]}}"#,
        records.join(",")
    );
    parse(Signal::Logs, &text)
}

fn parse(signal: Signal, text: &str) -> Opaque {
    let encoded = json::to_protobuf(signal, text.as_bytes(), &Limits::default()).unwrap();
    Opaque::parse(signal, encoded.into()).unwrap()
}

fn text(part: &Opaque) -> String {
    let mut out = Vec::new();
    json::from_protobuf(part.signal(), part.bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Scenario: three log requests become one, and that one is split after every two records and after every 40 bytes.
/// Guarantees: all records are there, in order, each under its scope.
#[test]
fn logs_are_joined_and_split() {
    let whole = Opaque::concat(Signal::Logs, [logs(&["a", "b", "c"]), logs(&["d"]), logs(&[])]).unwrap();
    assert_eq!(whole.item_count(), 4);
    assert_eq!(Opaque::parse(Signal::Logs, whole.bytes().clone()).unwrap().item_count(), 4);

    let parts = whole.clone().split(SplitLimit::Items(2));
    assert_eq!(parts.iter().map(Opaque::item_count).collect::<Vec<_>>(), [2, 2]);
    let texts: Vec<String> = parts.iter().map(text).collect();
    assert!(texts[0].contains(r#""a""#) && texts[0].contains(r#""b""#) && !texts[0].contains(r#""c""#));
    assert_eq!(texts[1].matches(r#""name":"s""#).count(), 3);

    let parts = whole.split(SplitLimit::Bytes(40));
    assert!(parts.iter().all(|part| part.bytes().len() <= 40), "{parts:?}");
    assert_eq!(parts.iter().map(Opaque::item_count).sum::<usize>(), 4);
}

/// Scenario: spans in several resources and scopes, parsed and not, are joined and split in all ways.
/// Guarantees: the same requests come out, with the same counts.
#[test]
fn spans_are_split_alike_parsed_or_not() {
    let text = r#"{"resourceSpans":[
        {"resource":{"attributes":[{"key":"a","value":{"intValue":1}}]},"scopeSpans":[
            {"scope":{"name":"s"},"spans":[{"name":"one"},{"name":"two"},{"name":"three"}]},{"spans":[{"name":"four"}]}]},
        {"scopeSpans":[{"schemaUrl":"u","spans":[{"name":"five"},{"name":"six"}]}],"schemaUrl":"v"}]}"#;
    let opaque = parse(Signal::Traces, text);
    let traces = Traces::parse(opaque.bytes().clone()).unwrap();
    assert_eq!((opaque.item_count(), traces.span_count()), (6, 6));
    let (opaque, traces) = (
        Opaque::concat(Signal::Traces, [opaque.clone(), opaque]).unwrap(),
        Traces::concat([traces.clone(), traces]).unwrap(),
    );
    assert_eq!(opaque.bytes(), &traces.encode());
    let limits = (0..13).map(SplitLimit::Items).chain((0..200).map(SplitLimit::Bytes));
    for limit in limits {
        let plain = opaque.clone().split(limit).into_iter().map(|part| (part.bytes().clone(), part.item_count()));
        let parsed = traces.clone().split(limit).into_iter().map(|part| (part.encode(), part.span_count()));
        assert_eq!(plain.collect::<Vec<_>>(), parsed.collect::<Vec<_>>(), "{limit:?}");
    }
}

/// Scenario: metrics with one, three and no points are split after every two points.
/// Guarantees: metrics stay whole, and one that is larger than the limit goes alone.
#[test]
fn metrics_stay_whole() {
    let text = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"one","gauge":{"dataPoints":[{"asInt":1}]}},
        {"name":"three","sum":{"dataPoints":[{"asInt":1},{"asInt":2},{"asInt":3}]}},
        {"name":"none"},
        {"name":"last","summary":{"dataPoints":[{}]}}]}]}]}"#;
    let parts = parse(Signal::Metrics, text).split(SplitLimit::Items(2));
    let names: Vec<Vec<String>> = parts
        .iter()
        .map(|part| {
            let request = ExportMetricsServiceRequest::decode(&part.bytes()[..]).unwrap();
            let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
            metrics.iter().map(|metric| metric.name.clone()).collect()
        })
        .collect();
    assert_eq!(names, [vec!["one"], vec!["three"], vec!["none", "last"]]);
    assert_eq!(parts.iter().map(Opaque::item_count).collect::<Vec<_>>(), [1, 3, 1]);
}

/// A field around a body.
fn wrapped(number: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_field(&mut out, number, Payload::Bytes(body));
    out
}

/// A request of logs with that resource, in these pieces, and one record with these bytes.
fn request(resource: &[&[u8]], record: &[u8]) -> Opaque {
    let mut group: Vec<u8> = resource.iter().flat_map(|piece| wrapped(1, piece)).collect();
    group.extend(wrapped(2, &wrapped(2, record)));
    Opaque::parse(Signal::Logs, Bytes::from(wrapped(1, &group))).unwrap()
}

/// Scenario: a resource in two pieces loses the attribute of the first and gets another; a record loses its own; nothing is changed.
/// Guarantees: the pieces are one message afterwards, what is not known stays, counts are kept, and without a change the very bytes are.
#[test]
fn messages_are_revised() {
    let attribute = |part: Part| spanmill_otlp::encode_attribute(part, "k", Value::Int(1));
    let record = [attribute(Part::LogRecord), wrapped(90, b"unknown")].concat();
    let given = request(&[&attribute(Part::Resource), &wrapped(90, b"unknown")], &record);
    let cut = |part: Part, message: spanmill_otlp::Message<'_>| {
        let mut patch = Patch::new(part);
        message.attributes(part.attributes()).for_each(|found| patch.cut(found.pos));
        patch.append("new", Value::Bool(true));
        patch.revised(message)
    };
    let revised = given.revise_resources(|resource| cut(Part::Resource, resource)).unwrap();
    let revised = revised.revise_items(|item| cut(item.part, item.message)).unwrap();
    let new =
        |part| [wrapped(90, b"unknown"), spanmill_otlp::encode_attribute(part, "new", Value::Bool(true))].concat();
    assert_eq!(revised.bytes(), request(&[&new(Part::Resource)], &new(Part::LogRecord)).bytes());
    assert_eq!(revised.item_count(), 1);
    assert_eq!(given.revise_items(|_| None).unwrap().bytes().as_ptr(), given.bytes().as_ptr());
}

/// Scenario: a resource that ends within a field, and a record whose attribute is nested a hundred deep.
/// Guarantees: both are refused before anybody sees them.
#[test]
fn what_is_revised_is_checked() {
    let cut_short = request(&[&[0x0a, 100, 1]], &[]);
    let refused = cut_short.revise_resources(|_| panic!("it is not read")).unwrap_err();
    assert_eq!(refused.reason, Reason::Truncated);
    let mut value = Vec::new();
    for _ in 0..100 {
        value = wrapped(5, &wrapped(1, &value));
    }
    let deep = request(&[], &wrapped(6, &[wrapped(1, b"k"), wrapped(2, &value)].concat()));
    assert_eq!(deep.revise_items(|_| panic!("it is not read")).unwrap_err().reason, Reason::TooDeep);
}
