//! Text as OTTL: statements, one a line, that run on a small request; the same text as a condition.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use spanmill_otlp::{Limits, Signal, Traces, json};
use spanmill_ottl::{Compiler, Condition, Context, ErrorMode, Paths, Sequence, SequenceText};

/// What the statements run on: all kinds of values, an event and a link.
static REQUEST: LazyLock<Bytes> = LazyLock::new(|| {
    let text = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{
        "scope":{"name":"scope","version":"1"},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
        "name":"chat gpt","kind":3,"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":"1790000005250000000","attributes":[
        {"key":"a","value":{"stringValue":"text, 1 \u00fc"}},{"key":"i","value":{"intValue":"812"}},{"key":"d","value":{"doubleValue":0.25}},
        {"key":"l","value":{"arrayValue":{"values":[{"boolValue":true},{"intValue":"3"},{"kvlistValue":{"values":[]}}]}}},
        {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"{\"x\":[1,2]}"}}]}}},
        {"key":"b","value":{"bytesValue":"AAEC"}}],"events":[{"timeUnixNano":"1","name":"e","attributes":[{"key":"a","value":{"intValue":"1"}}]}],
        "links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}],"status":{"code":2,"message":"bad"}}]}]}]}"#;
    json::to_protobuf(Signal::Traces, text, &Limits::default()).expect("the request is good").into()
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let statements: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
    for context in [None, Some(Context::Span), Some(Context::SpanEvent)] {
        let text = SequenceText { context, statements: &statements, conditions: &[] };
        let Ok(sequence) = Sequence::parse(text, ErrorMode::Ignore, Compiler::new().with_lambdas(true)) else {
            continue;
        };
        let mut traces = Traces::parse(REQUEST.clone()).expect("the request is good");
        let _ = sequence.apply(&mut traces, None, None, &mut |_, _| {});
        let encoded = traces.encode();
        assert_eq!(encoded.len(), traces.encoded_len(), "the length is foretold");
        Traces::parse(encoded).expect("what was changed is a valid request");
    }
    let mut compiler = Compiler::new();
    let Ok(condition) = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Span), text) else { return };
    let slots = compiler.finish();
    let traces = Traces::parse(REQUEST.clone()).expect("the request is good");
    let mut frame = slots.frame();
    for span in traces.spans() {
        frame.enter_resource(span.resource());
        frame.enter_scope(span.scope());
        frame.enter_span(span);
        assert_eq!(condition.eval(&frame).ok(), condition.eval(&frame).ok(), "asking twice changes nothing");
    }
});
