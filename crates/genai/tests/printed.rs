//! What Python prints of objects, where JSON was meant, and documents that say little.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use serde_json::{Map, Value as Json, json};
use support::{assert_has, normalise, sample};

const OPENINFERENCE: &str = "openinference.instrumentation.smolagents";

const REPLY: &str = "ChatMessage(_role=<ChatRole.ASSISTANT: 'assistant'>, _content=[TextContent(text='It\\'s warm.'), \
    ToolCall(tool_name='look', arguments={'at': None}, id='c1', extra=None)], _name=None, _meta={'model': \
    'gpt-4o-2024-08-06', 'finish_reason': 'tool_calls', 'usage': {'completion_tokens': 6, 'prompt_tokens': 5}})";

fn message(span: &Map<String, Json>, name: &str) -> Json {
    serde_json::from_str(span[name].as_str().unwrap()).unwrap()
}

/// Scenario: an answer as its object prints itself, in a member of a document, and one in pieces below a member.
/// Guarantees: id, model, end and usage are read as from JSON.
#[test]
fn an_object_that_was_printed() {
    let object = "ChatCompletion(id='chatcmpl-1', choices=[Choice(finish_reason='length', index=0, \
        message=ChatCompletionMessage(content=None))], created=1, model='gpt-4o-2024-08-06', usage=None)";
    let attributes = json!({
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "output.value": json!({ "raw": object }).to_string(),
    });
    let expected = json!({
        "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": "gpt-4o-2024-08-06", "spanmill.finish_reason": "length",
        "gen_ai.request.model": "gpt-4o",
    });
    assert_has(&normalise(&[sample(1, OPENINFERENCE, &attributes)])[&1], &expected, "raw");
    let attributes =
        json!({ "openinference.span.kind": "LLM", "output.value": json!({ "replies": [REPLY] }).to_string() });
    let expected = json!({
        "gen_ai.response.model": "gpt-4o-2024-08-06", "spanmill.finish_reason": "tool_call",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
    });
    assert_has(&normalise(&[sample(1, OPENINFERENCE, &attributes)])[&1], &expected, "replies");
}

/// Scenario: messages of Haystack and LlamaIndex as their objects print themselves; and text of a model that looks a little like
/// that.
/// Guarantees: they come out as messages with their parts; the text stays text.
#[test]
fn messages_that_were_printed() {
    let asked = "ChatMessage(role=<MessageRole.USER: 'user'>, additional_kwargs={}, blocks=[TextBlock(block_type='text', \
        text='Hi')])";
    let attributes = json!({
        "openinference.span.kind": "LLM", "input.value": json!({ "messages": [asked] }).to_string(),
        "output.value": json!({ "replies": [REPLY] }).to_string(),
    });
    let span = normalise(&[sample(1, OPENINFERENCE, &attributes)]).remove(&1).unwrap();
    assert_eq!(
        message(&span, "gen_ai.input.messages"),
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hi" }] }])
    );
    let parts = &message(&span, "gen_ai.output.messages")[0]["parts"];
    assert_eq!(parts[0], json!({ "type": "text", "content": "It's warm." }));
    assert_has(
        &serde_json::from_value(parts[1].clone()).unwrap(),
        &json!({ "type": "tool_call", "id": "c1", "name": "look", "arguments": { "at": null } }),
        "call",
    );
    for text in ["Note (see below)", "Call(me)", "Point(x=1, y=2)", "[draft]"] {
        let attributes = json!({ "openinference.span.kind": "LLM", "output.value": text });
        let span = normalise(&[sample(1, OPENINFERENCE, &attributes)]).remove(&1).unwrap();
        assert_eq!(message(&span, "gen_ai.output.messages")[0]["parts"], json!([{ "type": "text", "content": text }]));
    }
}

/// Scenario: a step of LlamaIndex around a call, and the step behind it, which is given the answer.
/// Guarantees: the call has the response, and no step claims it.
#[test]
fn a_step_that_is_given_the_answer_of_a_call_inside_another() {
    let llama = "openinference.instrumentation.llama_index";
    let event = "AgentOutput(response=ChatMessage(role='x', blocks=[]), raw={'id': 'chatcmpl-1', 'model': 'gpt-4o-2024-08-06'})";
    let call = json!({
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 5, "llm.token_count.completion": 6,
    });
    let chain = json!({ "openinference.span.kind": "CHAIN" });
    let given = json!({ "openinference.span.kind": "CHAIN", "input.value": json!({ "ev": event }).to_string() });
    let seen = normalise(&[
        sample(1, llama, &call).below(2).at(10, 90),
        sample(2, llama, &chain).below(9).at(0, 100),
        sample(3, llama, &given).below(9).at(110, 120),
    ]);
    let expected = json!({ "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": "gpt-4o-2024-08-06" });
    assert_has(&seen[&1], &expected, "call");
    assert_has(&seen[&3], &json!({ "gen_ai.response.id": null, "gen_ai.response.model": null }), "step");
}

/// Scenario: tools of which only the names are known, and parts whose content was not to be recorded.
/// Guarantees: both become what the conventions ask for, and stay that when they pass again.
#[test]
fn documents_that_say_little() {
    let hidden = |role: &str| json!([{ "role": role, "parts": [{ "type": "text" }, { "type": "thinking" }], "finish_reason": "stop" }]);
    let mut attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.tool.definitions": "[\"get_weather\",\"search\"]",
        "gen_ai.input.messages": hidden("user").to_string(), "gen_ai.output.messages": hidden("assistant").to_string(),
    });
    for pass in 0..2 {
        let span = normalise(&[sample(1, "pydantic-ai", &attributes)]).remove(&1).unwrap();
        let tool = |name: &str| json!({ "type": "function", "name": name });
        assert_eq!(message(&span, "gen_ai.tool.definitions"), json!([tool("get_weather"), tool("search")]));
        for name in ["gen_ai.input.messages", "gen_ai.output.messages"] {
            let messages = message(&span, name);
            let parts = messages[0]["parts"].as_array().unwrap();
            assert!(parts.iter().all(|part| part["content"].is_string()), "{pass}: {messages}");
            attributes[name] = span[name].clone();
        }
    }
}

/// Scenario: a request of Gemini's API beside what configures it.
/// Guarantees: its contents are the messages, and its instructions stand apart.
#[test]
fn contents_are_messages() {
    let part = |text: &str| json!([{ "text": text }]);
    for contents in [json!([{ "parts": part("Hi"), "role": "user" }]), json!({ "parts": part("Hi") }), json!("Hi")] {
        let request =
            json!({ "contents": contents, "system_instruction": { "parts": part("Be short."), "role": "user" } });
        let attributes = json!({ "openinference.span.kind": "LLM", "input.value": request.to_string() });
        let span = normalise(&[sample(1, OPENINFERENCE, &attributes)]).remove(&1).unwrap();
        let expected = json!([{ "role": "user", "parts": [{ "type": "text", "content": "Hi" }] }]);
        assert_eq!(message(&span, "gen_ai.input.messages"), expected);
        assert_eq!(message(&span, "gen_ai.system_instructions"), json!([{ "type": "text", "content": "Be short." }]));
    }
}
