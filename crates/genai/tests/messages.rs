//! Messages, whatever form they come in.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use std::sync::LazyLock;

use serde_json::{Value as Json, json};
use spanmill_genai::{Engine, Options, PriceTable, Pricing};
use support::{Seen, engine, pass, sample};

const TRACELOOP: &str = "opentelemetry.instrumentation.openai.v1";
const OPENINFERENCE: &str = "openinference.instrumentation.openai";

static ENGINE: LazyLock<Engine> = LazyLock::new(|| engine(&options()));

/// Prices have nothing to do with messages, and take time to read.
fn options() -> Options {
    Options { pricing: Pricing { table: PriceTable::None, ..Pricing::default() }, ..Options::default() }
}

fn normalise(samples: &[support::Sample]) -> Seen {
    pass(&ENGINE, samples)
}

/// A span of a model call with these attributes besides.
fn chat(scope: &'static str, attributes: &Json) -> support::Sample {
    let mut all = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" });
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    sample(1, scope, &all)
}

/// The document in an attribute of the only span.
fn document(span: &support::Sample, name: &str) -> Json {
    let seen = normalise(std::slice::from_ref(span));
    let text = seen[&1].get(name).and_then(Json::as_str).unwrap_or("null").to_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
}

/// Scenario: one turn of a model that speaks and calls a tool, in the forms of five providers and three frameworks, under attributes of
/// several sources.
/// Guarantees: the same message each time: text and call, in that order, with parsed arguments.
#[test]
fn an_answer_with_text_and_a_call_is_the_same_from_everyone() {
    let arguments = r#"{"b":1.50,"a":12345678901234567890}"#;
    let raw = format!(
        r#"{{"choices":[{{"index":0,"finish_reason":"tool_calls","message":{{"role":"assistant","content":"Let me see.","refusal":null,"tool_calls":[{{"id":"c1","type":"function","function":{{"name":"look","arguments":{}}}}}]}}}}]}}"#,
        json!(arguments)
    );
    let cases = [
        ("openai chat", raw),
        (
            "openai responses",
            format!(
                r#"{{"status":"completed","output":[{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"Let me see."}}]}},{{"type":"function_call","id":"fc_1","call_id":"c1","name":"look","arguments":{},"status":"completed"}}]}}"#,
                json!(arguments)
            ),
        ),
        (
            "anthropic",
            format!(
                r#"{{"type":"message","role":"assistant","content":[{{"type":"text","text":"Let me see."}},{{"type":"tool_use","id":"c1","name":"look","input":{arguments}}}],"stop_reason":"tool_use"}}"#
            ),
        ),
        (
            "gemini",
            format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"Let me see."}},{{"functionCall":{{"id":"c1","name":"look","args":{arguments}}}}}]}},"finishReason":"STOP"}}]}}"#
            ),
        ),
        (
            "bedrock",
            format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"Let me see."}},{{"toolUse":{{"toolUseId":"c1","name":"look","input":{arguments}}}}}]}}}},"stopReason":"tool_use"}}"#
            ),
        ),
        (
            "langchain",
            format!(
                r#"{{"generations":[[{{"text":"Let me see.","generation_info":{{"finish_reason":"tool_calls"}},"message":{{"lc":1,"type":"constructor","id":["langchain","schema","messages","AIMessage"],"kwargs":{{"content":"Let me see.","additional_kwargs":{{}},"response_metadata":{{"model_name":"m"}},"type":"ai","tool_calls":[{{"name":"look","args":{arguments},"id":"c1","type":"tool_call"}}]}}}}}}]]}}"#
            ),
        ),
        (
            "vercel",
            format!(
                r#"{{"text":"Let me see.","toolCalls":[{{"toolCallId":"c1","toolName":"look","args":{}}}]}}"#,
                json!(arguments)
            ),
        ),
        (
            "mistral in a list",
            format!(
                r#"[{{"role":"assistant","content":"Let me see.","tool_calls":[{{"id":"c1","function":{{"name":"look","arguments":{}}}}}]}}]"#,
                json!(arguments)
            ),
        ),
    ];
    let expected = format!(
        r#"[{{"role":"assistant","parts":[{{"type":"text","content":"Let me see."}},{{"type":"tool_call","id":"c1","name":"look","arguments":{arguments}}}],"finish_reason":"tool_call"}}]"#
    );
    for (name, answer) in &cases {
        for (scope, key) in [
            (TRACELOOP, "gen_ai.completion"),
            (OPENINFERENCE, "output.value"),
            ("langfuse-sdk", "langfuse.observation.output"),
        ] {
            let seen = normalise(&[chat(scope, &json!({ key: answer }))]);
            let got = seen[&1].get("gen_ai.output.messages").and_then(Json::as_str).unwrap_or_default();
            assert_eq!(got, expected, "{name} under {key}");
        }
    }
}

/// Scenario: what a model was asked, as APIs and frameworks write it: instructions apart, tools, an image, an answer of a tool.
/// Guarantees: instructions, messages and tools come out apart; data in base64 is a blob and addresses are addresses.
#[test]
fn requests_are_taken_apart() {
    let openai = json!({
        "model": "m",
        "messages": [
            { "role": "developer", "content": "Be short." },
            { "role": "user", "content": [
                { "type": "text", "text": "What is this?" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBO" } },
                { "type": "image_url", "image_url": { "url": "https://example.com/cat.jpg", "detail": "low" } },
                { "type": "input_audio", "input_audio": { "data": "UklG", "format": "wav" } },
                { "type": "file", "file": { "file_id": "file-1" } },
            ] },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "look", "arguments": "{}" } }] },
            { "role": "tool", "tool_call_id": "c1", "content": "{\"found\":true}" },
        ],
        "tools": [{ "type": "function", "function": { "name": "look", "description": "Looks", "parameters": { "type": "object" } } }],
    });
    let span = chat(OPENINFERENCE, &json!({ "input.value": openai.to_string() }));
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([
            { "role": "developer", "parts": [{ "type": "text", "content": "Be short." }] },
            { "role": "user", "parts": [
                { "type": "text", "content": "What is this?" },
                { "type": "blob", "mime_type": "image/png", "modality": "image", "content": "iVBO" },
                { "type": "uri", "modality": "image", "uri": "https://example.com/cat.jpg", "detail": "low" },
                { "type": "blob", "mime_type": "audio/wav", "modality": "audio", "content": "UklG" },
                { "type": "file", "modality": "file", "file_id": "file-1" },
            ] },
            { "role": "assistant", "parts": [{ "type": "tool_call", "id": "c1", "name": "look", "arguments": {} }] },
            { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": { "found": true } }] },
        ])
    );
    assert_eq!(
        document(&span, "gen_ai.tool.definitions"),
        json!([{ "type": "function", "name": "look", "description": "Looks", "parameters": { "type": "object" } }])
    );
    let anthropic = json!({
        "system": [{ "type": "text", "text": "Be kind.", "cache_control": { "type": "ephemeral" } }],
        "messages": [
            { "role": "user", "content": [{ "type": "image", "source": { "type": "base64", "media_type": "image/jpeg", "data": "abcd" } }] },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "Hm.", "signature": "s" },
                { "type": "server_tool_use", "id": "s1", "name": "web_search", "input": { "query": "x" } },
                { "type": "web_search_tool_result", "tool_use_id": "s1", "content": [{ "url": "u" }] },
            ] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "c1", "content": [{ "type": "text", "text": "18 C" }], "is_error": false }] },
        ],
        "tools": [{ "name": "look", "input_schema": { "type": "object" } }, { "type": "web_search_20250305", "name": "web_search" }],
    });
    let span = chat(TRACELOOP, &json!({ "gen_ai.prompt": anthropic.to_string() }));
    assert_eq!(
        document(&span, "gen_ai.system_instructions"),
        json!([{ "type": "text", "content": "Be kind.", "cache_control": { "type": "ephemeral" } }])
    );
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([
            { "role": "user", "parts": [{ "type": "blob", "mime_type": "image/jpeg", "modality": "image", "content": "abcd" }] },
            { "role": "assistant", "parts": [
                { "type": "reasoning", "content": "Hm.", "signature": "s" },
                { "type": "server_tool_call", "id": "s1", "name": "web_search", "server_tool_call": { "type": "web_search", "input": { "query": "x" } } },
                { "type": "server_tool_call_response", "id": "s1", "server_tool_call_response": { "type": "web_search", "content": [{ "url": "u" }] } },
            ] },
            { "role": "user", "parts": [{ "type": "tool_call_response", "id": "c1", "response": [{ "type": "text", "text": "18 C" }], "is_error": false }] },
        ])
    );
    assert_eq!(
        document(&span, "gen_ai.tool.definitions"),
        json!([
            { "type": "function", "name": "look", "parameters": { "type": "object" } },
            { "type": "web_search_20250305", "name": "web_search" },
        ])
    );
}

/// Scenario: OpenLLMetry's and OpenInference's flattened attributes, more than ten messages, out of order, with a gap; and a content that is
/// the JSON of parts.
/// Guarantees: messages are in the order of their numbers, with text and calls; with `remove_originals` the flattened attributes are gone.
#[test]
fn flattened_messages_are_put_together() {
    let mut flat = json!({
        "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be short.",
        "gen_ai.prompt.11.role": "tool", "gen_ai.prompt.11.tool_call_id": "c1", "gen_ai.prompt.11.content": "18 C",
        "gen_ai.prompt.2.role": "assistant", "gen_ai.prompt.2.content": "Let me see.",
        "gen_ai.prompt.2.tool_calls.0.id": "c1", "gen_ai.prompt.2.tool_calls.0.name": "look", "gen_ai.prompt.2.tool_calls.0.arguments": "{\"a\": 1}",
        "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "[{\"type\": \"text\", \"text\": \"Hot?\"}, {\"type\": \"image_url\", \"image_url\": {\"url\": \"https://example.com/a.png\"}}]",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Mild.", "gen_ai.completion.0.finish_reason": "stop",
        "llm.request.functions.0.name": "look", "llm.request.functions.0.description": "Looks", "llm.request.functions.0.parameters": "{\"type\": \"object\"}",
    });
    let expected = json!([
        { "role": "system", "parts": [{ "type": "text", "content": "Be short." }] },
        { "role": "user", "parts": [{ "type": "text", "content": "Hot?" }, { "type": "uri", "modality": "image", "uri": "https://example.com/a.png" }] },
        { "role": "assistant", "parts": [{ "type": "text", "content": "Let me see." }, { "type": "tool_call", "id": "c1", "name": "look", "arguments": { "a": 1 } }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": "18 C" }] },
    ]);
    let span = chat(TRACELOOP, &flat);
    assert_eq!(document(&span, "gen_ai.input.messages"), expected);
    assert_eq!(
        document(&span, "gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Mild." }], "finish_reason": "stop" }])
    );
    assert_eq!(
        document(&span, "gen_ai.tool.definitions"),
        json!([{ "type": "function", "name": "look", "description": "Looks", "parameters": { "type": "object" } }])
    );
    let remove = engine(&Options { remove_originals: true, ..options() });
    let seen = pass(&remove, &[span]);
    let left: Vec<&String> =
        seen[&1].keys().filter(|key| key.starts_with("gen_ai.prompt") || key.starts_with("llm.")).collect();
    assert!(left.is_empty(), "{left:?}");

    flat = json!({
        "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "What is this?",
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": "https://example.com/cat.jpg",
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "A cat.",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"a\": 1}",
        "llm.tools.0.tool.json_schema": "{\"type\": \"function\", \"function\": {\"name\": \"look\", \"parameters\": {}}}",
    });
    let span = chat(OPENINFERENCE, &flat);
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "What is this?" }, { "type": "uri", "modality": "image", "uri": "https://example.com/cat.jpg" }] }])
    );
    assert_eq!(
        document(&span, "gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "A cat." }, { "type": "tool_call", "id": "c1", "name": "look", "arguments": { "a": 1 } }], "finish_reason": "tool_call" }])
    );
    assert_eq!(
        document(&span, "gen_ai.tool.definitions"),
        json!([{ "type": "function", "name": "look", "parameters": {} }])
    );
}

/// Scenario: messages in events: those of 1.36, `gen_ai.content.*`, and `gen_ai.client.inference.operation.details`.
/// Guarantees: they become attributes; on the span of a tool they are its arguments and its result instead.
#[test]
fn events_hold_messages() {
    let span = chat("strands.telemetry.tracer", &json!({}))
        .event(0, "gen_ai.system.message", &json!({ "content": "Be short." }))
        .event(0, "gen_ai.user.message", &json!({ "content": "[{\"text\": \"Hot?\"}]" }))
        .event(
            9,
            "gen_ai.choice",
            &json!({ "message": "[{\"text\": \"Mild.\"}]", "finish_reason": "end_turn", "index": 0 }),
        );
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "system", "parts": [{ "type": "text", "content": "Be short." }] }, { "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])
    );
    let answer =
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Mild." }], "finish_reason": "stop" }]);
    assert_eq!(document(&span, "gen_ai.output.messages"), answer);

    let span = chat("any", &json!({})).event(0, "gen_ai.content.prompt", &json!({ "gen_ai.prompt": "Hot?" })).event(
        9,
        "gen_ai.content.completion",
        &json!({ "gen_ai.completion": "Mild." }),
    );
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])
    );
    assert_eq!(document(&span, "gen_ai.output.messages"), answer);

    let span = chat("any", &json!({})).event(
        9,
        "gen_ai.client.inference.operation.details",
        &json!({ "gen_ai.output.messages": answer.to_string() }),
    );
    assert_eq!(document(&span, "gen_ai.output.messages"), answer);

    let tool = sample(
        1,
        "strands.telemetry.tracer",
        &json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look" }),
    )
    .event(0, "gen_ai.tool.message", &json!({ "role": "tool", "content": "{\"a\": 1}", "id": "c1" }))
    .event(9, "gen_ai.choice", &json!({ "message": "[{\"text\": \"18 C\"}]", "id": "c1" }));
    let seen = normalise(&[tool]);
    assert_eq!(seen[&1]["gen_ai.tool.call.arguments"], json!("{\"a\":1}"));
    assert_eq!(seen[&1]["gen_ai.tool.call.result"], json!("[{\"text\":\"18 C\"}]"));
    assert!(!seen[&1].contains_key("gen_ai.input.messages"));
}

/// Scenario: an event for each message, with a number, as genai-otel-instrument has it; keys that are flattened inside of an event, as VeADK's
/// are; calls of tools that stand beside the answer, as Neatlogs has them; and one as text that is marked as JSON, as Agenta's.
/// Guarantees: messages and calls become those of the conventions; an answer that calls tools itself gets none from beside it.
#[test]
fn messages_in_pieces() {
    let call = json!({ "type": "tool_call", "id": "c1", "name": "look", "arguments": { "at": "Oslo" } });
    let calls = json!([{ "role": "assistant", "parts": [call], "finish_reason": "tool_call" }]);

    let span = chat("any", &json!({}))
        .event(0, "gen_ai.prompt.0", &json!({ "gen_ai.prompt.role": "system", "gen_ai.prompt.content": "Be short." }))
        .event(0, "gen_ai.prompt.1", &json!({ "gen_ai.prompt.role": "user", "gen_ai.prompt.content": "Hot?" }))
        .event(
            9,
            "gen_ai.completion.0",
            &json!({ "gen_ai.completion.role": "assistant", "gen_ai.completion.content": "Mild." }),
        );
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "system", "parts": [{ "type": "text", "content": "Be short." }] }, { "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])
    );
    assert_eq!(
        document(&span, "gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Mild." }], "finish_reason": "stop" }])
    );

    let span = chat("any", &json!({}))
        .event(0, "gen_ai.user.message", &json!({ "role": "user", "parts.0.type": "text", "parts.0.text": "Hot?" }))
        .event(
            0,
            "gen_ai.assistant.message",
            &json!({
                "role": "model", "tool_calls.0.id": "c1", "tool_calls.0.type": "function",
                "tool_calls.0.function.name": "look", "tool_calls.0.function.arguments": "{\"at\": \"Oslo\"}",
            }),
        );
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }, { "role": "assistant", "parts": [call] }])
    );

    let span = chat("any", &json!({}))
        .event(0, "gen_ai.user.message", &json!({ "agent_name": "a", "session_id": "s" }))
        .event(0, "gen_ai.user.message", &json!({ "role": "user", "content": "Hot?" }))
        .event(9, "gen_ai.choice", &json!({ "message.role": "model", "message.content": "Mild." }));
    assert_eq!(
        document(&span, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])
    );
    assert_eq!(
        document(&span, "gen_ai.output.messages"),
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Mild." }], "finish_reason": "stop" }])
    );

    let beside = json!({
        "acme.llm.output_messages.0.role": "assistant", "acme.llm.tool_calls.0.id": "c1", "acme.llm.tool_calls.0.name": "look",
        "acme.llm.tool_calls.0.arguments": "{\"at\": \"Oslo\"}",
    });
    assert_eq!(document(&chat("any", &beside), "gen_ai.output.messages"), calls);
    let twice = json!({
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"at\": \"Oslo\"}",
        "llm.tool_calls.0.name": "look",
    });
    assert_eq!(document(&chat("any", &twice), "gen_ai.output.messages"), calls);

    let marked = json!({
        "ag.data.outputs.completion.0.role": "assistant",
        "ag.data.outputs.completion.0.tool_calls.0":
            "@ag.type=json:{\"id\": \"c1\", \"type\": \"function\", \"function\": {\"name\": \"look\", \"arguments\": \"{\\\"at\\\": \\\"Oslo\\\"}\"}}",
    });
    assert_eq!(document(&chat("agenta.tracer", &marked), "gen_ai.output.messages"), calls);
}

/// Scenario: attributes of the conventions that are right, nearly right, or nothing like messages.
/// Guarantees: what is right keeps every byte; what is not becomes valid and keeps its text; what was cut off is not taken for words
/// elsewhere.
#[test]
fn what_is_right_stays() {
    let right = r#"[{"role": "user", "parts": [{"type": "text", "content": "a \"content\":[ b"}]}, {"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":{"response":1}}]}]"#;
    let seen = normalise(&[chat("any", &json!({ "gen_ai.input.messages": right }))]);
    assert_eq!(seen[&1]["gen_ai.input.messages"], json!(right));
    let keep = engine(&Options { messages: false, ..options() });
    let wrong = r#"[{"role": "user", "content": "Hot?"}]"#;
    let seen = pass(&keep, &[chat("any", &json!({ "gen_ai.input.messages": wrong }))]);
    assert_eq!(seen[&1]["gen_ai.input.messages"], json!(wrong));

    let cases = [
        (wrong, json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])),
        ("Hot?", json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }])),
        ("{\"what\": 1}", json!([{ "role": "user", "parts": [{ "type": "text", "content": "{\"what\": 1}" }] }])),
        ("[{\"role\": \"us", json!([{ "role": "user", "parts": [{ "type": "text", "content": "[{\"role\": \"us" }] }])),
        (
            r#"[{"role":"user","parts":[{"type":"tool_call_response","id":"1","name":"n","result":[1.0]}]}]"#,
            json!([{ "role": "user", "parts": [{ "type": "tool_call_response", "id": "1", "response": [1.0], "tool_name": "n" }] }]),
        ),
        (
            r#"[{"role":"user","parts":[{"type":"text","content":[{"type":"text","text":"Hot?"}]}]}]"#,
            json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hot?" }] }]),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(
            document(&chat("any", &json!({ "gen_ai.input.messages": text })), "gen_ai.input.messages"),
            expected,
            "{text}"
        );
    }
    let unfinished = r#"[{"role":"assistant","parts":[{"type":"text","content":"Mild."}],"finish_reason":""}]"#;
    let span =
        chat("any", &json!({ "gen_ai.output.messages": unfinished, "gen_ai.response.finish_reasons": ["max_tokens"] }));
    assert_eq!(document(&span, "gen_ai.output.messages")[0]["finish_reason"], json!("length"));
    let cut = chat(OPENINFERENCE, &json!({ "input.value": "{\"messages\": [{\"role\": \"us" }));
    assert_eq!(document(&cut, "gen_ai.input.messages"), Json::Null);
}

/// Scenario: flattened messages beside the plain words of the same answer; instructions that stand only among flattened messages, beside messages of the
/// conventions; and items of OpenAI's Responses API under the conventions' name, which say how they ended.
/// Guarantees: calls of tools are not lost for the words, nor instructions for the messages, and the reason is taken from the items.
#[test]
fn nothing_is_lost_for_a_shorter_form() {
    let call = chat(
        OPENINFERENCE,
        &json!({
            "openinference.span.kind": "LLM", "output.value": "assistant: None",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
        }),
    );
    let expected = json!([{ "role": "assistant", "parts": [{ "type": "tool_call", "name": "look", "arguments": {} }], "finish_reason": "tool_call" }]);
    assert_eq!(document(&call, "gen_ai.output.messages"), expected);
    let words = chat(
        OPENINFERENCE,
        &json!({ "openinference.span.kind": "LLM", "output.value": "Ho", "llm.output_messages.0.message.role": "assistant" }),
    );
    let expected =
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Ho" }], "finish_reason": "stop" }]);
    assert_eq!(document(&words, "gen_ai.output.messages"), expected);
    let items = chat(
        "lmnr.tracer",
        &json!({
            "gen_ai.input.messages": "[{\"role\":\"user\",\"content\":\"Hi\",\"type\":\"message\"}]",
            "gen_ai.output.messages": "[{\"id\":\"msg_1\",\"content\":[{\"text\":\"Ho\",\"type\":\"output_text\"}],\"role\":\"assistant\",\"status\":\"incomplete\",\"type\":\"message\"}]",
            "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief",
            "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Hi",
        }),
    );
    let expected =
        json!([{ "role": "assistant", "parts": [{ "type": "text", "content": "Ho" }], "finish_reason": "length" }]);
    assert_eq!(document(&items, "gen_ai.output.messages"), expected);
    assert_eq!(document(&items, "gen_ai.system_instructions"), json!([{ "type": "text", "content": "Be brief" }]));
    assert_eq!(
        document(&items, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hi" }] }])
    );
}
