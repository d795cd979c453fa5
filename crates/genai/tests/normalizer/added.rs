//! What the Collector leaves as it is.

use serde_json::{Value as Json, json};
use spanmill_genai::normalizer::Source;

use crate::support::assert_has;
use crate::{by, source};

/// Scenario: keys that the Collector does not map, on spans of the built-in sources.
/// Guarantees: they become attributes of the conventions; those that have none there stay, and nothing is made up.
#[test]
fn keys_that_were_missing_are_mapped() {
    let openinference = json!({
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-2024-08-06",
        "llm.system": "openai",
        "llm.token_count.completion": 7,
        "llm.token_count.total": 12,
        "llm.token_count.prompt_details.cache_read": 3,
        "llm.token_count.prompt_details.cache_write": 2,
        "llm.token_count.prompt_details.audio": 1,
        "llm.token_count.completion_details.reasoning": 4,
        "llm.invocation_parameters": r#"{"model": "gpt-4o", "temperature": 0, "top_p": 0.9, "max_completion_tokens": 100, "stop": ["a"], "n": 2, "seed": 7, "logprobs": true}"#,
        "llm.finish_reason": "length",
        "llm.tools.0.tool.json_schema": r#"{"type":"function","function":{"name":"look","parameters":{"z":1,"a":2}}}"#,
        "llm.cost.total": 0.5,
        "input.value": r#"{"messages":[{"role":"user","content":"Hello"}]}"#,
        "output.value": "Hi",
        "metadata": "{}",
        "user.id": "u",
    });
    let expected = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-2024-08-06",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stop_sequences": ["a"],
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.seed": 7,
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.tool.definitions": r#"[{"type":"function","name":"look","parameters":{"z":1,"a":2}}]"#,
        "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]"#,
        "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hi"}],"finish_reason":"length"}]"#,
    });
    check_whole(source("openinference"), &openinference, &expected);
    let openllmetry = json!({
        "gen_ai.system": "OpenAI",
        "gen_ai.usage.prompt_tokens": 5,
        "gen_ai.usage.completion_tokens": 7,
        "gen_ai.usage.cache_read_input_tokens": 3,
        "llm.usage.total_tokens": 12,
    });
    let expected = json!({
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
    });
    check_whole(source("openllmetry"), &openllmetry, &expected);
}

/// Checks that exactly the expected attributes are added.
fn check_whole(source: Source, attributes: &Json, expected: &Json) {
    let mut found = by(source, attributes);
    assert_has(&found, attributes, "what was there");
    assert_has(&found, expected, "what is added");
    found.retain(|key, _| attributes.get(key).is_none() && expected.get(key).is_none());
    assert_eq!(Json::Object(found), json!({}), "nothing else is added");
}

/// Scenario: spans of tools and of retrievers, and a call that failed without an answer.
/// Guarantees: what went in and came out stands under their attributes; a model that did not answer has no response model.
#[test]
fn values_of_tools_and_retrievers_are_not_messages() {
    let tool = json!({ "openinference.span.kind": "TOOL", "input.value": r#"{"city":"Paris"}"#, "output.value": "21" });
    let expected = json!({ "gen_ai.tool.call.arguments": r#"{"city":"Paris"}"#, "gen_ai.tool.call.result": "21", "gen_ai.input.messages": null });
    assert_has(&by(source("openinference"), &tool), &expected, "tool");
    let retriever = json!({
        "openinference.span.kind": "RETRIEVER",
        "input.value": "cats",
        "retrieval.documents.1.document.id": "b",
        "retrieval.documents.1.document.score": 0.25,
        "retrieval.documents.0.document.id": 7,
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.0.document.content": "A cat",
        "retrieval.documents.0.document.metadata": r#"{"z":1,"a":2}"#,
    });
    let found = by(Source { remove_originals: true, ..source("openinference") }, &retriever);
    let documents = r#"[{"id":"7","score":0.5,"content":"A cat","metadata":{"z":1,"a":2}},{"id":"b","score":0.25}]"#;
    let expected = json!({ "gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "cats", "gen_ai.retrieval.documents": documents });
    assert_eq!(Json::Object(found), expected);
    let failed = json!({ "openinference.span.kind": "LLM", "llm.model_name": "m" });
    let expected = json!({ "gen_ai.request.model": "m", "gen_ai.response.model": null });
    assert_has(&by(source("openinference"), &failed), &expected, "no answer");
}
