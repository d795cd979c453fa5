//! What conditions and statements cost a span: `cargo run --release -p spanmill-ottl --example cost`.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use spanmill_otlp::{Part, Patch, Traces, Value};
use spanmill_ottl::{Compiler, Condition, ConditionSet, Context, ErrorMode, Paths, Sequence, SequenceText};

const SPANS: usize = 512;
const ROUNDS: usize = 400;

/// A request of spans with about 600 bytes each, as GenAI instrumentations write them.
fn request() -> Result<Traces, Box<dyn std::error::Error>> {
    let mut bytes = vec![0x12];
    let spans = [0x12, 0x00].repeat(SPANS);
    put_len(&mut bytes, spans.len());
    bytes.extend_from_slice(&spans);
    let mut whole = vec![0x0a];
    put_len(&mut whole, bytes.len());
    whole.extend_from_slice(&bytes);
    let mut traces = Traces::parse(Bytes::from(whole))?;
    for (number, span) in traces.span_ixs().enumerate() {
        let mut patch = Patch::new(Part::Span);
        patch.append_bytes(1, &[7; 16]);
        patch.append_bytes(2, &[7; 8]);
        patch.append_bytes(5, b"chat gpt-5-mini");
        patch.append_varint(6, 3);
        patch.append_fixed64(7, 1_795_000_000_000_000_000);
        patch.append_fixed64(8, 1_795_000_006_250_000_000);
        patch.append("gen_ai.operation.name", Value::Str("chat"));
        patch.append("gen_ai.provider.name", Value::Str("openai"));
        patch.append("gen_ai.request.model", Value::Str("gpt-5-mini"));
        patch.append("gen_ai.response.model", Value::Str("gpt-5-mini-2025-08-07"));
        patch.append("gen_ai.response.id", Value::Str("chatcmpl-9Xy2AbCdEfGhIjKlMnOpQrStUv"));
        patch.append("gen_ai.request.temperature", Value::Double(0.7));
        patch.append("gen_ai.request.max_tokens", Value::Int(1024));
        patch.append("gen_ai.response.finish_reasons", Value::Strs(&["stop"]));
        patch.append("gen_ai.usage.input_tokens", Value::Int(1000 + number as i64 * 4));
        patch.append("gen_ai.usage.output_tokens", Value::Int(56));
        patch.append("server.address", Value::Str("api.openai.com"));
        patch.append("server.port", Value::Int(443));
        patch.append("session.id", Value::Str("0d1f6a52-9f0e-4f5e-9a53-2f2a8b1f9c11"));
        patch.append_bytes(15, b"");
        traces.apply(span, &patch);
    }
    Ok(traces.freeze())
}

fn put_len(out: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

/// The best of many rounds, in nanoseconds a span.
fn best(mut round: impl FnMut() -> Result<(), Box<dyn std::error::Error>>) -> Result<f64, Box<dyn std::error::Error>> {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        round()?;
        best = best.min(begin.elapsed().as_nanos() as f64 / SPANS as f64);
    }
    Ok(best)
}

fn conditions(traces: &Traces) -> Result<(), Box<dyn std::error::Error>> {
    let texts = [
        "false",
        "name == \"x\"",
        "attributes[\"gen_ai.usage.input_tokens\"] > 2000",
        "attributes[\"gen_ai.usage.input_tokens\"] > 2000 and IsMatch(name, \"chat.*\")",
        "IsMatch(name, \"^(chat|completion) .*mini\") and attributes[\"session.id\"] != nil",
        "end_time - start_time > Duration(\"5s\") and Int(attributes[\"gen_ai.usage.input_tokens\"]) < 2000",
        "resource.attributes[\"service.name\"] == \"x\" or status.code == STATUS_CODE_ERROR",
    ];
    for text in texts {
        let mut compiler = Compiler::new();
        let condition = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Span), text)?;
        let set = ConditionSet::new(vec![condition], ErrorMode::Ignore);
        let slots = compiler.finish();
        let mut met = 0;
        let time = best(|| {
            met = 0;
            let mut frame = slots.frame();
            for resource in traces.resources() {
                frame.enter_resource(resource);
                for scope in resource.scopes() {
                    frame.enter_scope(scope);
                    for span in scope.spans() {
                        frame.enter_span(span);
                        met += usize::from(set.eval(black_box(&frame), &mut |_, _| {})?);
                    }
                }
            }
            Ok(())
        })?;
        eprintln!("{time:7.1} ns a span, {met:3} of {SPANS} met: {text}");
    }
    Ok(())
}

fn statements(traces: &Traces) -> Result<(), Box<dyn std::error::Error>> {
    let texts = [
        "set(attributes[\"total\"], attributes[\"gen_ai.usage.input_tokens\"] + attributes[\"gen_ai.usage.output_tokens\"]) where attributes[\"gen_ai.usage.output_tokens\"] != nil",
        "set(attributes[\"finish_reason\"], attributes[\"gen_ai.response.finish_reasons\"][0]) where attributes[\"gen_ai.response.finish_reasons\"] != nil",
        "set(attributes[\"rate\"], Double(attributes[\"gen_ai.usage.output_tokens\"]) * 1000000000.0 / Double(end_time_unix_nano - start_time_unix_nano)) where attributes[\"gen_ai.usage.output_tokens\"] != nil",
        "set(attributes[\"bucket\"], \"2k-8k\") where attributes[\"gen_ai.usage.input_tokens\"] >= 2000 and attributes[\"gen_ai.usage.input_tokens\"] < 8000",
        "set(attributes[\"slow_small\"], true) where end_time_unix_nano - start_time_unix_nano > 5000000000 and attributes[\"gen_ai.usage.input_tokens\"] < 2000 and attributes[\"finish_reason\"] == \"stop\"",
    ];
    let all: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let lists = all.iter().map(std::slice::from_ref).chain([all.as_slice()]);
    for list in lists {
        let text = SequenceText { context: Some(Context::Span), statements: list, conditions: &[] };
        let sequence =
            Sequence::parse(text, ErrorMode::Propagate, Compiler::new()).map_err(|errors| format!("{errors:?}"))?;
        let time = best(|| {
            let mut traces = traces.clone();
            sequence.apply(black_box(&mut traces), None, None, &mut |_, _| {})?;
            Ok(())
        })?;
        eprintln!("{time:7.1} ns a span: {}", if let [one] = list { one.as_str() } else { "all of these" });
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let traces = request()?;
    eprintln!("{} bytes a span", traces.encoded_len() / SPANS);
    conditions(&traces)?;
    statements(&traces)
}
