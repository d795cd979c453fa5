use std::time::{Duration, Instant};

use bytes::Bytes;
use spanmill_otlp::{AnyValue, Traces, Value, put_key_value};

use super::Setup;
use super::wire::Http;

/// A request of one span that holds those attributes.
fn span(attributes: &[(&str, Value<'_>)]) -> Bytes {
    let mut encoded = Vec::new();
    for (key, value) in attributes {
        put_key_value(&mut encoded, 0x4a, key, value);
    }
    request(&encoded)
}

/// A request of one span.
fn request(span: &[u8]) -> Bytes {
    let message = |tag: u8, body: &[u8]| {
        let mut out = vec![tag];
        prost::encoding::encode_varint(body.len() as u64, &mut out);
        out.extend_from_slice(body);
        out
    };
    message(0x0a, &message(0x12, &message(0x12, span))).into()
}

/// What came of the one request that was taken.
fn taken(setup: &Setup) -> Traces {
    Traces::parse(setup.backend.take().pop().expect("a request was taken")).unwrap()
}

/// Scenario: a span has a million attributes, another one of 60 MiB; there are no limits, limits that refuse, and limits that cut.
/// Guarantees: without limits both pass as they are; else the request is refused with the reason, or arrives cut: as many attributes and
/// as long ones as allowed, marked, and what is left out is counted where OTLP counts it.
#[tokio::test]
async fn extremes() {
    let many = request(&[0x4a, 0].repeat(1_000_000));
    let text = "é".repeat(30 << 20);
    let large = span(&[("short", Value::Int(1)), ("large", Value::Str(&text))]);

    let setup = Setup::start("", "").await;
    for body in [&many, &large] {
        assert_eq!(Http::connect(&setup.http).await.protobuf("", body.clone()).await.status, 200);
        assert!(setup.backend.take() == [body.clone()]);
    }

    let setup = Setup::limited("attributes: {max_count: 128, max_value_bytes: 1KiB}", "", "").await;
    for (body, words) in
        [(&many, "more than 128 attributes"), (&large, "attribute \"large\" has a value of 62914560 bytes")]
    {
        let answer = Http::connect(&setup.http).await.protobuf("", body.clone()).await;
        assert_eq!(answer.status, 400);
        assert!(String::from_utf8_lossy(&answer.body).contains(words), "{answer:?}");
    }
    assert_eq!(setup.refused("http", "attributes"), 2);

    let setup = Setup::limited("attributes: {max_count: 128, max_value_bytes: 1023B, policy: truncate}", "", "").await;
    assert_eq!(Http::connect(&setup.http).await.protobuf("", many).await.status, 200);
    let traces = taken(&setup);
    let span = traces.spans().next().unwrap();
    assert_eq!((span.attributes().count(), span.dropped_attributes_count()), (128, 1_000_000 - 128));
    assert_eq!(Http::connect(&setup.http).await.protobuf("", large).await.status, 200);
    let traces = taken(&setup);
    let span = traces.spans().next().unwrap();
    let Some(AnyValue::Text(kept)) = span.attribute("large").map(|value| value.get()) else { panic!("a text") };
    assert_eq!((kept.len(), std::str::from_utf8(kept).is_ok()), (1022, true), "no half character");
    let marker = span.attribute("spanmill.limits.truncated").expect("a marker");
    assert_eq!(marker.elements().map(|key| key.get()).collect::<Vec<_>>(), [AnyValue::Text(b"large")]);
    assert_eq!(span.attribute("short").map(|value| value.get()), Some(AnyValue::Int(1)));
}

/// Scenario: values of all types around the limit of eight bytes, in a span.
/// Guarantees: only what is longer is cut; bytes are cut as texts are, lists are left out and counted.
#[tokio::test]
async fn types() {
    let setup = Setup::limited("attributes: {max_value_bytes: 8B, policy: truncate}", "", "").await;
    let list = ["longer", "list"];
    let body = span(&[
        ("fits", Value::Str("12345678")),
        ("text", Value::Str("123456789")),
        ("bytes", Value::Bytes(b"123456789")),
        ("double", Value::Double(1.5)),
        ("list", Value::Strs(&list)),
    ]);
    assert_eq!(Http::connect(&setup.http).await.protobuf("", body).await.status, 200);
    let traces = taken(&setup);
    let span = traces.spans().next().unwrap();
    let value = |key: &str| span.attribute(key).map(|value| value.get());
    assert_eq!(value("fits"), Some(AnyValue::Text(b"12345678")));
    assert_eq!(value("text"), Some(AnyValue::Text(b"12345678")));
    assert_eq!(value("bytes"), Some(AnyValue::Bytes(b"12345678")));
    assert_eq!(value("double"), Some(AnyValue::Double(1.5)));
    assert_eq!((value("list"), span.dropped_attributes_count()), (None, 1));
}

/// Scenario: a thousand ordinary spans are looked at again and again, where values may be longer than all of a span.
/// Guarantees: nothing is changed, and a span costs next to nothing.
#[test]
fn ordinary_spans_cost_nothing() {
    let options = super::super::limits::Attributes { max_value_bytes: "64KiB".parse().unwrap(), ..Default::default() };
    let attributes = super::super::attributes::Attributes::new(&options);
    let mut traces = Traces::parse(super::spans(1000, 500)).unwrap();
    let began = Instant::now();
    for _ in 0..10 {
        attributes.apply(&mut traces).unwrap();
    }
    assert!(!traces.is_edited());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?} for 10,000 spans", began.elapsed());
}
