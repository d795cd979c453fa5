//! Messages: put together from flattened attributes, and read from documents.

use serde_json::{Map, Value as Json, json};
use spanmill_genai::normalizer::Source;

use crate::support::schema::{DOCUMENTS, validator};
use crate::{by, source};

/// A document of a span, which the conventions' schema accepts.
fn document(found: &Map<String, Json>, name: &str) -> Json {
    let text = found.get(name).and_then(Json::as_str).unwrap_or_else(|| panic!("no {name}: {found:#?}"));
    let document: Json = serde_json::from_str(text).unwrap();
    let (_, schema) = DOCUMENTS.iter().find(|(known, _)| *known == name).unwrap();
    if let Err(error) = validator(schema).validate(&document) {
        panic!("{name}: {error} at {}: {text}", error.instance_path());
    }
    document
}

/// Flattened attributes under a prefix.
fn flat(prefix: &str, pieces: &Json) -> Json {
    pieces.as_object().unwrap().iter().map(|(key, value)| (format!("{prefix}.{key}"), value.clone())).collect()
}

fn removing(name: &str) -> Source {
    Source { remove_originals: true, ..source(name) }
}

/// Input messages from flattened attributes of OpenInference; nothing else may be left on the span.
fn input(pieces: &Json) -> Json {
    let found = by(removing("openinference"), &flat("llm.input_messages", pieces));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["gen_ai.input.messages"]);
    document(&found, "gen_ai.input.messages")
}

fn output(pieces: &Json) -> Json {
    let found = by(removing("openinference"), &flat("llm.output_messages", pieces));
    document(&found, "gen_ai.output.messages")
}

fn text(content: &str) -> Json {
    json!({ "type": "text", "content": content })
}

/// Scenario: flattened messages out of order and with gaps (#48421: nothing came of them).
/// Guarantees: one JSON text holds them in the order of their numbers.
#[test]
fn flattened_messages_are_put_together() {
    let messages = input(&json!({
        "10.message.role": "user",
        "10.message.content": "third",
        "2.message.content": "second",
        "2.message.role": "assistant",
        "0.message.role": "system",
        "0.message.content": "first",
        "0.message.name": "ops",
    }));
    let expected = json!([
        { "role": "system", "name": "ops", "parts": [text("first")] },
        { "role": "assistant", "parts": [text("second")] },
        { "role": "user", "parts": [text("third")] },
    ]);
    assert_eq!(messages, expected);
}

/// Scenario: content in numbered parts, as Anthropic's and Bedrock's traces have it (#50133: `"parts":[]`, and the content lost).
/// Guarantees: every part is there: text, reasoning, images inside and at an address, audio, a call.
#[test]
fn numbered_contents_are_kept() {
    let messages = input(&json!({
        "0.message.role": "user",
        "0.message.contents.0.message_content.type": "text",
        "0.message.contents.0.message_content.text": "What is this?",
        "0.message.contents.1.message_content.type": "image",
        "0.message.contents.1.message_content.image.image.url": "https://example.com/cat.jpg",
        "0.message.contents.2.message_content.type": "image",
        "0.message.contents.2.message_content.image.image.url": "data:image/png;base64,iVBO",
        "0.message.contents.3.message_content.type": "audio",
        "0.message.contents.3.message_content.audio.audio.url": "https://example.com/cat.wav",
        "0.message.contents.3.message_content.audio.audio.mime_type": "audio/wav",
        "1.message.role": "assistant",
        "1.message.contents.0.message_content.type": "reasoning",
        "1.message.contents.0.message_content.text": "A cat.",
        "1.message.contents.1.message_content.type": "tool_use",
        "1.message.contents.1.message_content.id": "c1",
        "1.message.contents.1.message_content.name": "look",
        "1.message.contents.1.message_content.input": "{\"z\":1,\"a\":2.50}",
    }));
    let parts = messages[0]["parts"].as_array().unwrap();
    assert_eq!(parts[0], text("What is this?"));
    assert_eq!(parts[1], json!({ "type": "uri", "modality": "image", "uri": "https://example.com/cat.jpg" }));
    assert_eq!(parts[2], json!({ "type": "blob", "mime_type": "image/png", "modality": "image", "content": "iVBO" }));
    assert_eq!((&parts[3]["modality"], &parts[3]["uri"]), (&json!("audio"), &json!("https://example.com/cat.wav")));
    let answer = json!([
        { "type": "reasoning", "content": "A cat." },
        { "type": "tool_call", "id": "c1", "name": "look", "arguments": { "z": 1, "a": 2.5 } },
    ]);
    assert_eq!(messages[1]["parts"], answer);
}

/// Scenario: an assistant speaks and calls two tools; one answer is content, one is numbered contents.
/// Guarantees: text and both calls stand in one message, and both answers in theirs.
#[test]
fn text_calls_and_answers_are_all_kept() {
    let messages = input(&json!({
        "0.message.role": "assistant",
        "0.message.content": "Let me see.",
        "0.message.tool_calls.0.tool_call.id": "c1",
        "0.message.tool_calls.0.tool_call.function.name": "look",
        "0.message.tool_calls.0.tool_call.function.arguments": "{\"city\":\"Paris\"}",
        "0.message.tool_calls.1.tool_call.id": "c2",
        "0.message.tool_calls.1.tool_call.function.name": "guess",
        "0.message.tool_calls.1.tool_call.function.arguments": "no JSON",
        "1.message.role": "tool",
        "1.message.tool_call_id": "c1",
        "1.message.content": "21 degrees",
        "2.message.role": "user",
        "2.message.tool_call_id": "c2",
        "2.message.content": "",
        "2.message.contents.0.message_content.type": "text",
        "2.message.contents.0.message_content.text": "cold",
    }));
    let expected = json!([
        { "role": "assistant", "parts": [
            text("Let me see."),
            { "type": "tool_call", "id": "c1", "name": "look", "arguments": { "city": "Paris" } },
            { "type": "tool_call", "id": "c2", "name": "guess", "arguments": "no JSON" },
        ] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": "21 degrees" }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c2", "response": "cold" }] },
    ]);
    assert_eq!(messages, expected);
}

/// Scenario: roles of other conventions, of both directions, and none (the Collector makes `user` of them).
/// Guarantees: `developer` stays, the others become the conventions' own; a message without one has that of its side.
#[test]
fn roles_are_kept() {
    for (said, role) in [("developer", "developer"), ("model", "assistant"), ("function", "tool"), ("Human", "user")] {
        let pieces = json!({ "0.message.role": said, "0.message.content": "Hello" });
        assert_eq!(input(&pieces)[0]["role"], role, "{said}");
        assert_eq!(output(&pieces)[0]["role"], role, "{said}");
    }
    let bare = json!({ "0.message.content": "Hello" });
    assert_eq!((&input(&bare)[0]["role"], &output(&bare)[0]["role"]), (&json!("user"), &json!("assistant")));
}

/// Scenario: answers with a reason of their own, with one that the span says, with a call, and without anything.
/// Guarantees: every message of an answer has a reason (the Collector's is always empty), and the span the reasons of its messages.
#[test]
fn answers_have_a_finish_reason() {
    let answer =
        json!({ "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "Hi" });
    let reason = |more: &Json| {
        let mut attributes = answer.clone();
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = by(source("openinference"), &attributes);
        document(&found, "gen_ai.output.messages")[0]["finish_reason"].clone()
    };
    assert_eq!(reason(&json!({})), "stop");
    assert_eq!(reason(&json!({ "llm.finish_reason": "max_tokens" })), "length");
    assert_eq!(reason(&json!({ "gen_ai.response.finish_reasons": ["content_filter"] })), "content_filter");
    let call = json!({ "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look" });
    assert_eq!(reason(&call), "tool_call");
    let attributes =
        flat("gen_ai.completion", &json!({ "0.content": "Hi", "0.role": "assistant", "0.finish_reason": "length" }));
    let found = by(source("openllmetry"), &attributes);
    assert_eq!(document(&found, "gen_ai.output.messages")[0]["finish_reason"], "length");
    assert_eq!(found["gen_ai.response.finish_reasons"], json!(["length"]));
}

/// Scenario: arguments with numbers that no double holds, keys out of order, and characters that Go escapes for HTML.
/// Guarantees: they are the bytes that they were.
#[test]
fn arguments_keep_their_bytes() {
    let arguments = r#"{"z":12345678901234567890,"a":1.50,"html":"<a&b>"}"#;
    let attributes = json!({
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": arguments,
    });
    let found = by(source("openinference"), &attributes);
    assert!(found["gen_ai.output.messages"].as_str().unwrap().contains(arguments), "{found:#?}");
}

/// Scenario: inputs and outputs of OpenLLMetry's entities: a request and an answer of OpenAI, as in the golden file of a distribution, and
/// arguments of a function.
/// Guarantees: what stands in the attributes of messages is what the conventions' schemas accept, and says the same.
#[test]
fn documents_of_openllmetry_become_messages() {
    let attributes = json!({
        "traceloop.span.kind": "workflow",
        "traceloop.entity.input": r#"{"messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Hello"}]}"#,
        "traceloop.entity.output": r#"{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}"#,
    });
    let found = by(removing("openllmetry"), &attributes);
    let asked =
        json!([{ "role": "system", "parts": [text("Be short.")] }, { "role": "user", "parts": [text("Hello")] }]);
    assert_eq!(document(&found, "gen_ai.input.messages"), asked);
    let answered = json!([{ "role": "assistant", "parts": [text("Hi")], "finish_reason": "stop" }]);
    assert_eq!(document(&found, "gen_ai.output.messages"), answered);
    assert!(!found.contains_key("traceloop.entity.input") && !found.contains_key("traceloop.entity.output"));
    let structured = json!({ "traceloop.entity.input": { "messages": [{ "role": "user", "content": "Hello" }] } });
    let messages = document(&by(source("openllmetry"), &structured), "gen_ai.input.messages");
    assert_eq!(messages, json!([{ "role": "user", "parts": [text("Hello")] }]));
    let arguments = r#"{"city": "Paris"}"#;
    let attributes =
        json!({ "traceloop.span.kind": "tool", "traceloop.entity.input": arguments, "traceloop.entity.output": "21" });
    let found = by(removing("openllmetry"), &attributes);
    assert_eq!(document(&found, "gen_ai.input.messages"), json!([{ "role": "user", "parts": [text(arguments)] }]));
    document(&found, "gen_ai.output.messages");
}

/// Scenario: the attributes that OpenLLMetry and the first GenAI conventions flattened messages and tools to.
/// Guarantees: they become messages and definitions of tools, and go with `remove_originals`.
#[test]
fn legacy_prompts_and_completions_become_messages() {
    let found = by(
        removing("openllmetry"),
        &json!({
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Hello",
            "gen_ai.prompt.1.role": "assistant",
            "gen_ai.prompt.1.tool_calls.0.id": "c1",
            "gen_ai.prompt.1.tool_calls.0.name": "look",
            "gen_ai.prompt.1.tool_calls.0.arguments": "{}",
            "gen_ai.prompt.2.role": "tool",
            "gen_ai.prompt.2.tool_call_id": "c1",
            "gen_ai.prompt.2.content": "{\"found\":true}",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "There.",
            "llm.request.functions.0.name": "look",
            "llm.request.functions.0.description": "Looks",
            "llm.request.functions.0.parameters": "{\"type\":\"object\"}",
        }),
    );
    let keys: Vec<&String> = found.keys().collect();
    assert_eq!(keys, ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"]);
    let asked = json!([
        { "role": "user", "parts": [text("Hello")] },
        { "role": "assistant", "parts": [{ "type": "tool_call", "id": "c1", "name": "look", "arguments": {} }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c1", "response": { "found": true } }] },
    ]);
    assert_eq!(document(&found, "gen_ai.input.messages"), asked);
    let answered = json!([{ "role": "assistant", "parts": [text("There.")], "finish_reason": "stop" }]);
    assert_eq!(document(&found, "gen_ai.output.messages"), answered);
    let tools =
        json!([{ "type": "function", "name": "look", "description": "Looks", "parameters": { "type": "object" } }]);
    assert_eq!(document(&found, "gen_ai.tool.definitions"), tools);
}

/// Scenario: `remove_originals`, and documents that hold more than messages; messages that stand there already.
/// Guarantees: only what stands elsewhere is removed; without `overwrite` nothing is, with it the messages are replaced.
#[test]
fn only_what_is_represented_is_removed() {
    let request = r#"{"messages":[{"role":"user","content":"Hello"}],"temperature":0.125}"#;
    let found = by(removing("openllmetry"), &json!({ "traceloop.entity.input": request }));
    assert_eq!(found["traceloop.entity.input"], request);
    document(&found, "gen_ai.input.messages");
    let kept = json!({ "llm.input_messages.0.message.content": "Hello", "llm.input_messages.0.message.timestamp": "yesterday" });
    let found = by(removing("openinference"), &kept);
    assert!(found.contains_key("llm.input_messages.0.message.timestamp"), "{found:#?}");
    assert!(!found.contains_key("llm.input_messages.0.message.content"), "{found:#?}");
    let nameless = json!({
        "llm.input_messages.0.message.role": "assistant",
        "llm.input_messages.0.message.tool_calls.0.tool_call.id": "c1",
        "llm.input_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"a\":1}",
    });
    let found = by(removing("openinference"), &nameless);
    assert!(found.contains_key("llm.input_messages.0.message.tool_calls.0.tool_call.id"), "{found:#?}");
    assert!(found.contains_key("llm.input_messages.0.message.tool_calls.0.tool_call.function.arguments"), "{found:#?}");
    assert!(!found.contains_key("llm.input_messages.0.message.role"), "{found:#?}");
    let both = json!({ "llm.input_messages.0.message.content": "Hello", "gen_ai.input.messages": "[]" });
    assert_eq!(Json::Object(by(removing("openinference"), &both)), both);
    let found = by(Source { overwrite: true, ..removing("openinference") }, &both);
    assert_eq!(document(&found, "gen_ai.input.messages"), json!([{ "role": "user", "parts": [text("Hello")] }]));
    assert!(!found.contains_key("llm.input_messages.0.message.content"));
}
