//! Time per span of scanning, reading, editing and encoding: `cargo run --release -p spanmill-otlp --example speed`. An
//! argument names the one measurement to make.
//! The least of several runs counts: whatever else the machine does only adds to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use spanmill_otlp::{Part, Patch, Signal, Traces, Value, json};

const SPANS: usize = 512;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = "the assistant should answer the question ".repeat(200);
    for (name, messages) in [
        ("small", None),
        ("8 KB string", Some(text(&prompt[..8_000]))),
        ("8 KB structured", Some(structured(&prompt[..300], 24))),
    ] {
        let bytes = Bytes::from(request(messages.as_ref()).encode_to_vec());
        let traces = Traces::parse(bytes.clone())?;
        println!("{name}: {} bytes a span", bytes.len() / SPANS);
        report("parse", || Traces::parse(bytes.clone()).map_or(0, |traces| traces.span_count()));
        report("read all fields", || traces.spans().map(|span| span.fields().count()).sum());
        report("edit", || edit(traces.clone()).span_count());
        report("edit and encode", || edit(traces.clone()).encode().len());
        report("edit and freeze", || edit(traces.clone()).freeze().span_count());
        report("concat 4", || Traces::concat(vec![traces.clone(); 4]).map_or(0, |traces| traces.span_count()) / 4);
        report("to JSON", || {
            let mut out = Vec::new();
            json::from_protobuf(Signal::Traces, &bytes, &mut out).map_or(0, |()| out.len())
        });
        let mut text = Vec::new();
        json::from_protobuf(Signal::Traces, &bytes, &mut text)?;
        report("from JSON", || {
            json::to_protobuf(Signal::Traces, &text, &Default::default()).map_or(0, |out| out.len())
        });
        report("prost: decode and encode", || {
            ExportTraceServiceRequest::decode(bytes.clone()).map_or(0, |request| request.encode_to_vec().len())
        });
    }
    Ok(())
}

/// Eight attributes, as enrichment adds them, to every span.
fn edit(mut traces: Traces) -> Traces {
    let mut patch = Patch::new(Part::Span);
    for ix in traces.span_ixs() {
        patch.clear();
        patch.append("spanmill.source", Value::Str("otel-openai-v2"));
        patch.append("spanmill.usage.role", Value::Str("owner"));
        patch.append("spanmill.total_tokens", Value::Int(1_234));
        patch.append("spanmill.tokens_per_second", Value::Double(81.5));
        patch.append("spanmill.time_per_output_token", Value::Double(0.012));
        patch.append("spanmill.finish_reason", Value::Str("stop"));
        patch.append("spanmill.slow_small", Value::Bool(true));
        patch.append("spanmill.input_tokens.bucket", Value::Str("1k-2k"));
        traces.apply(ix, &patch);
    }
    traces
}

fn report(what: &str, mut run: impl FnMut() -> usize) {
    if std::env::args().nth(1).is_some_and(|only| only != what) {
        return;
    }
    let mut best = Duration::MAX;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    println!("  {what:<26} {:>9.1} ns a span", best.as_nanos() as f64 / SPANS as f64);
}

fn request(messages: Option<&AnyValue>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![pair("service.name", text("checkout")), pair("telemetry.sdk.language", text("python"))],
        ..Default::default()
    };
    let scope = InstrumentationScope { name: "opentelemetry.instrumentation.openai_v2".into(), ..Default::default() };
    let spans = (0..SPANS as u64).map(|at| span(at, messages)).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }],
    }
}

fn span(at: u64, messages: Option<&AnyValue>) -> Span {
    let list = |item| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values: vec![item] })) };
    let number = |number| AnyValue { value: Some(Any::IntValue(number)) };
    let mut attributes = vec![
        pair("gen_ai.operation.name", text("chat")),
        pair("gen_ai.provider.name", text("openai")),
        pair("gen_ai.request.model", text("gpt-4o-2024-08-06")),
        pair("gen_ai.response.model", text("gpt-4o-2024-08-06")),
        pair("gen_ai.request.max_tokens", number(4096)),
        pair("gen_ai.request.temperature", AnyValue { value: Some(Any::DoubleValue(0.7)) }),
        pair("gen_ai.usage.input_tokens", number(200 + at as i64)),
        pair("gen_ai.usage.output_tokens", number(20 + at as i64)),
        pair("gen_ai.response.finish_reasons", list(text("stop"))),
        pair("gen_ai.response.id", text(&format!("chatcmpl-{at:028x}"))),
        pair("gen_ai.conversation.id", text(&format!("conv_{at:016x}"))),
        pair("server.address", text("api.openai.com")),
    ];
    attributes.extend(messages.map(|messages| pair("gen_ai.input.messages", messages.clone())));
    Span {
        trace_id: vec![7; 16],
        span_id: at.to_be_bytes().to_vec(),
        parent_span_id: vec![1; 8],
        name: "chat gpt-4o-2024-08-06".into(),
        kind: 3,
        start_time_unix_nano: 1_760_000_000_000_000_000 + at,
        end_time_unix_nano: 1_760_000_005_000_000_000 + at,
        attributes,
        flags: 0x101,
        status: Some(Status { code: 1, ..Default::default() }),
        ..Default::default()
    }
}

fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..Default::default() }
}

fn text(text: &str) -> AnyValue {
    AnyValue { value: Some(Any::StringValue(text.into())) }
}

fn structured(content: &str, count: usize) -> AnyValue {
    let map = |values| AnyValue { value: Some(Any::KvlistValue(KeyValueList { values })) };
    let list = |values| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) };
    let part = map(vec![pair("type", text("text")), pair("content", text(content))]);
    list(vec![map(vec![pair("role", text("user")), pair("parts", list(vec![part]))]); count])
}
