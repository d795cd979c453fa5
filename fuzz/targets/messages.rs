//! Text as what instrumentations write of messages: the value of one attribute after the other, and of several in one span.

#![no_main]

use std::sync::LazyLock;

use spanmill_genai::{Engine, Options};
use spanmill_otlp::{Traces, Value, put_key_value};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&Options::default()).expect("the defaults are good"));

/// Attributes in which messages, tools and documents come.
const KEYS: [&str; 24] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.tool_calls.0.arguments",
    "gen_ai.completion.0.content",
    "llm.input_messages.0.message.content",
    "llm.input_messages.0.message.contents.0.message_content.text",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "llm.invocation_parameters",
    "llm.tools.0.tool.json_schema",
    "input.value",
    "output.value",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "ai.prompt.messages",
    "ai.response.toolCalls",
    "langfuse.observation.input",
    "mlflow.spanInputs",
    "retrieval.documents.0.document.content",
    "request_data",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, text)) = data.split_first() else { return };
    // Parts of the text, so that attributes do not all say the same.
    let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
    let mut span = Vec::new();
    put_key_value(&mut span, 0x4a, "gen_ai.request.model", &Value::Str("gpt-4o"));
    let kind = ["LLM", "TOOL", "RETRIEVER", "EMBEDDING"][usize::from(first) % 4];
    put_key_value(&mut span, 0x4a, "openinference.span.kind", &Value::Str(kind));
    for (at, part) in parts.iter().enumerate().take(6) {
        let key = KEYS[(usize::from(first) / 4 + at * 7) % KEYS.len()];
        put_key_value(&mut span, 0x4a, key, &Value::Text(part));
    }
    let request = message(0x0a, &message(0x12, &message(0x12, &span)));
    let mut traces = Traces::parse(request.into()).expect("the request is good");
    ENGINE.process(&mut traces);
    let encoded = traces.encode();
    assert_eq!(encoded.len(), traces.encoded_len(), "the length is foretold");
    Traces::parse(encoded).expect("what was changed is a valid request");
});

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let mut len = body.len();
    while len > 0x7f {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(body);
    out
}
