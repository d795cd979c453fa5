use super::*;
use crate::{AnyValue, Reason, Traces};

fn golden(signal: Signal) -> (&'static [u8], &'static str) {
    match signal {
        Signal::Traces => {
            (include_bytes!("../../testdata/traces.in.json"), include_str!("../../testdata/traces.out.json"))
        }
        Signal::Metrics => {
            (include_bytes!("../../testdata/metrics.in.json"), include_str!("../../testdata/metrics.out.json"))
        }
        Signal::Logs => (include_bytes!("../../testdata/logs.in.json"), include_str!("../../testdata/logs.out.json")),
    }
}

fn read(text: &str) -> Result<Vec<u8>, JsonError> {
    to_protobuf(Signal::Traces, text.as_bytes(), &Limits::default())
}

fn span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#)
}

fn value(fields: &str) -> String {
    span(&format!(r#""attributes":[{{"key":"k","value":{{{fields}}}}}]"#))
}

fn write(signal: Signal, encoded: &[u8]) -> String {
    let mut out = Vec::new();
    from_protobuf(signal, encoded, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Scenario: requests with every field of every message, in the forms that senders use.
/// Guarantees: what is written is, byte for byte, what the Go Collector 0.161.0 writes for the same input, and reading
/// it again changes nothing.
#[test]
fn as_the_go_collector() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let (input, expected) = golden(signal);
        let encoded = to_protobuf(signal, input, &Limits::default()).unwrap();
        assert_eq!(write(signal, &encoded), expected.trim_end());
        let again = to_protobuf(signal, expected.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(write(signal, &again), expected.trim_end());
    }
}

/// Scenario: what JSON is read becomes protobuf.
/// Guarantees: it is a request that the scanner takes, and an independent decoder reads the same from it.
#[test]
fn gives_valid_protobuf() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    let encoded = read(std::str::from_utf8(golden(Signal::Traces).0).unwrap()).unwrap();
    let decoded = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
    let span = &decoded.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.kind, span.flags, span.end_time_unix_nano), (3, 257, 1_544_712_661_000_000_001));
    assert_eq!(span.status.as_ref().unwrap().code, 2);
    assert_eq!(span.events.len(), 2);
    let traces = Traces::parse(encoded.into()).unwrap();
    let first = traces.spans().next().unwrap();
    assert_eq!(first.trace_id()[..2], [0x5b, 0x8e]);
    assert_eq!(first.attribute("d").unwrap().get(), AnyValue::Double(f64::INFINITY));
}

/// Scenario: forms that the Go Collector accepts too.
/// Guarantees: they are read.
#[test]
fn lenient_input() {
    for text in [
        "null",
        "{}",
        &span(r#""flags":"1""#),
        &span(r#""name":null,"kind":null,"attributes":null,"status":null"#),
        &span(r#""attributes":[null]"#),
        &span(r#""start_time_unix_nano":1"#),
        &span(r#""startTimeUnixNano":"18446744073709551615""#),
        &span(r#""Name":5,"x":{"y":[[[{}]]]},"\ud800":1"#),
        &span(&format!(r#""x":{}{}"#, "[".repeat(20_000), "]".repeat(20_000))),
        &value(r#""doubleValue":"nan""#),
        &value(r#""doubleValue":"-Infinity""#),
        &value(r#""doubleValue":3"#),
        &value(r#""intValue":-0"#),
        &value(r#""intValue":1,"stringValue":"x""#),
        &value(r#""bytesValue":"_-8=""#),
        &value(r#""bytesValue":"AQ""#),
    ] {
        let encoded = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        Traces::parse(encoded.into()).unwrap();
    }
}

/// Scenario: text with an unpaired surrogate, and with bytes that are no UTF-8.
/// Guarantees: U+FFFD takes their place, once each, in both directions.
#[test]
fn text_that_is_not_unicode() {
    let name = |encoded: Vec<u8>| {
        let traces = Traces::parse(encoded.into()).unwrap();
        String::from_utf8(traces.spans().next().unwrap().name().to_vec()).unwrap()
    };
    assert_eq!(name(read(&span(r#""name":"a\ud83dz""#)).unwrap()), "a\u{fffd}z");
    let raw: Vec<u8> = span(r#""name":"a!z""#).bytes().map(|byte| if byte == b'!' { 0xff } else { byte }).collect();
    assert_eq!(name(to_protobuf(Signal::Traces, &raw, &Limits::default()).unwrap()), "a\u{fffd}z");
    let encoded = b"\x0a\x09\x12\x07\x12\x05\x2a\x03a\xffz";
    assert!(write(Signal::Traces, encoded).contains("\"name\":\"a\u{fffd}z\""));
}

/// Scenario: texts that are not OTLP/JSON.
/// Guarantees: each is refused with the reason, and with the line and column where it lies.
#[test]
fn refused_input() {
    for (text, expected) in [
        ("", "EOF while parsing a value"),
        ("[]", "expected an object"),
        ("{} x", "trailing characters"),
        (&span(r#""startTimeUnixNano":1.0"#), "1 is not a whole number that startTimeUnixNano can hold"),
        (&span(r#""startTimeUnixNano":-1"#), "-1 is out of range for startTimeUnixNano"),
        (&span(r#""startTimeUnixNano":"-1""#), "\"-1\" is no number that startTimeUnixNano can hold"),
        (&span(r#""startTimeUnixNano":"""#), "\"\" is no number that startTimeUnixNano can hold"),
        (&span(r#""flags":4294967296"#), "4294967296 is out of range for flags"),
        (&span(r#""kind":"CLIENT""#), "\"CLIENT\" is no value of kind"),
        (&span(r#""kind":true"#), "expected a number or a name for kind"),
        (&span(r#""traceId":"00""#), "traceId must have 32 hexadecimal digits"),
        (&span(r#""spanId":"zzzzzzzzzzzzzzzz""#), "spanId must consist of hexadecimal digits"),
        (&span(r#""spanId":5"#), "spanId cannot be a number"),
        (&span(r#""name":5"#), "expected a string for name"),
        (&span(r#""attributes":{}"#), "expected an array"),
        (&value(r#""intValue":1.5"#), "1.5 is not a whole number that intValue can hold"),
        (&value(r#""intValue":9223372036854775808"#), "9223372036854775808 is out of range for intValue"),
        (&value(r#""boolValue":"true""#), "expected true or false for boolValue"),
        (&value(r#""doubleValue":1e400"#), "number out of range"),
        (&value(r#""doubleValue":"1e400""#), "\"1e400\" is no number that doubleValue can hold"),
        (&value(r#""bytesValue":"!""#), "bytesValue is not base64"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.message.contains(expected), "{text}: {error}");
        assert!(error.line == 1 && error.to_string().contains("line 1 column"), "{text}: {error:?}");
    }
}

/// Scenario: an array in an array in an array, in both encodings.
/// Guarantees: the limit is the same as the scanner's, and one more is refused.
#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| {
        let (open, close) = (r#""arrayValue":{"values":[{"#, "}]}");
        value(&format!("{}{}", open.repeat(depth), close.repeat(depth)))
    };
    let encoded = read(&nested(64)).unwrap();
    write(Signal::Traces, &encoded);
    Traces::parse(encoded.into()).unwrap();
    assert!(read(&nested(65)).unwrap_err().message.contains("nested too deeply"));

    let deeper = to_protobuf(Signal::Traces, nested(65).as_bytes(), &Limits { max_depth: 100, ..Limits::default() });
    let error = from_protobuf(Signal::Traces, &deeper.unwrap(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.reason, Reason::TooDeep);
}

/// Scenario: more bytes than allowed, as text and once encoded.
/// Guarantees: both are refused.
#[test]
fn size_is_bounded() {
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    let error = to_protobuf(Signal::Traces, span(&" ".repeat(100)).as_bytes(), &limits).unwrap_err();
    assert!(error.message.contains("too large"));
    let points = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"explicitBounds":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}]}}]}]}]}"#;
    let limits = Limits { max_bytes: 140, ..Limits::default() };
    assert!(to_protobuf(Signal::Metrics, points.as_bytes(), &limits).unwrap_err().message.contains("too large"));
}

/// Scenario: protobuf in which fields that should stand once are split or repeated, and repeated numbers are not packed.
/// Guarantees: it is read as protobuf says: messages are merged, the last scalar and the last alternative count.
#[test]
fn repeated_and_split_fields() {
    let span = b"\x2a\x01a\x2a\x01b\x7a\x02\x18\x02\x7a\x03\x12\x01e\x4a\x0b\x0a\x01k\x12\x02\x18\x01\x12\x02\x10\x01";
    let encoded =
        [&[0x0a, span.len() as u8 + 4, 0x12, span.len() as u8 + 2, 0x12, span.len() as u8][..], span].concat();
    let text = write(Signal::Traces, &encoded);
    assert!(text.contains(r#""name":"b""#), "{text}");
    assert!(text.contains(r#""status":{"message":"e","code":2}"#), "{text}");
    assert!(text.contains(r#""value":{"boolValue":true}"#), "{text}");
    let unpacked = b"\x0a\x0e\x12\x0c\x12\x0a\x52\x08\x0a\x06\x42\x04\x10\x01\x10\x02";
    let text = write(Signal::Metrics, unpacked);
    assert!(text.contains(r#""positive":{"bucketCounts":["1","2"]}"#), "{text}");
}

/// Scenario: protobuf with a field of the wrong type, deep inside a metric, which no scan has looked into.
/// Guarantees: a typed error with the offset.
#[test]
fn malformed_protobuf() {
    let encoded = b"\x0a\x08\x12\x06\x12\x04\x0a\x00\x28\x01";
    let error = from_protobuf(Signal::Metrics, encoded, &mut Vec::new()).unwrap_err();
    assert_eq!((error.offset, error.reason), (8, Reason::WrongWireType));
}
