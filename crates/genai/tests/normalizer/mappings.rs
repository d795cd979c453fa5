//! Attributes of the built-in sources, words, and types.

use serde_json::{Value as Json, json};
use spanmill_genai::normalizer::Source;

use crate::support::assert_has;
use crate::{by, normalizer, own, pass, source};

/// Scenario: every attribute that the documentation of the Collector's `openinference` source lists, alone on a span.
/// Guarantees: it becomes what is said there, keeps its old name, and goes with `remove_originals`.
#[test]
fn openinference_attributes_are_mapped() {
    check_mappings(
        "openinference",
        &[
            ("llm.token_count.prompt", json!(5), "gen_ai.usage.input_tokens", json!(5)),
            ("llm.token_count.completion", json!(6), "gen_ai.usage.output_tokens", json!(6)),
            ("llm.model_name", json!("m"), "gen_ai.request.model", json!("m")),
            ("embedding.model_name", json!("m"), "gen_ai.request.model", json!("m")),
            ("reranker.model_name", json!("m"), "gen_ai.request.model", json!("m")),
            ("llm.provider", json!("openai"), "gen_ai.provider.name", json!("openai")),
            ("tool.name", json!("look"), "gen_ai.tool.name", json!("look")),
            ("tool.description", json!("Looks"), "gen_ai.tool.description", json!("Looks")),
            ("tool_call.function.arguments", json!("{\"a\":1}"), "gen_ai.tool.call.arguments", json!("{\"a\":1}")),
            ("tool_call.id", json!("c1"), "gen_ai.tool.call.id", json!("c1")),
            ("agent.name", json!("planner"), "gen_ai.agent.name", json!("planner")),
            ("session.id", json!("s"), "gen_ai.conversation.id", json!("s")),
            ("openinference.span.kind", json!("LLM"), "gen_ai.operation.name", json!("chat")),
        ],
    );
}

/// Scenario: the same for the `openllmetry` source.
/// Guarantees: the same.
#[test]
fn openllmetry_attributes_are_mapped() {
    let text = |role: &str, finish: Option<&str>| {
        let mut message = json!({ "role": role, "parts": [{ "type": "text", "content": "Hello" }] });
        if let Some(finish) = finish {
            message["finish_reason"] = json!(finish);
        }
        json!(json!([message]).to_string())
    };
    check_mappings(
        "openllmetry",
        &[
            ("llm.usage.prompt_tokens", json!(5), "gen_ai.usage.input_tokens", json!(5)),
            ("llm.usage.completion_tokens", json!(6), "gen_ai.usage.output_tokens", json!(6)),
            ("llm.request.model", json!("m"), "gen_ai.request.model", json!("m")),
            ("llm.response.model", json!("m-1"), "gen_ai.response.model", json!("m-1")),
            ("llm.request.max_tokens", json!(7), "gen_ai.request.max_tokens", json!(7)),
            ("llm.request.temperature", json!(0.5), "gen_ai.request.temperature", json!(0.5)),
            ("llm.request.top_p", json!(0.9), "gen_ai.request.top_p", json!(0.9)),
            ("llm.top_k", json!(40), "gen_ai.request.top_k", json!(40.0)),
            ("llm.frequency_penalty", json!(1), "gen_ai.request.frequency_penalty", json!(1.0)),
            ("llm.presence_penalty", json!(0.1), "gen_ai.request.presence_penalty", json!(0.1)),
            ("llm.chat.stop_sequences", json!(["a", "b"]), "gen_ai.request.stop_sequences", json!(["a", "b"])),
            ("llm.response.finish_reason", json!("stop"), "gen_ai.response.finish_reasons", json!(["stop"])),
            ("llm.response.stop_reason", json!("end_turn"), "gen_ai.response.finish_reasons", json!(["end_turn"])),
            ("llm.request.type", json!("completion"), "gen_ai.operation.name", json!("text_completion")),
            ("traceloop.span.kind", json!("tool"), "gen_ai.operation.name", json!("execute_tool")),
            ("traceloop.entity.name", json!("planner"), "gen_ai.agent.name", json!("planner")),
            ("traceloop.entity.input", json!("Hello"), "gen_ai.input.messages", text("user", None)),
            ("traceloop.entity.output", json!("Hello"), "gen_ai.output.messages", text("assistant", Some("stop"))),
            (
                "llm.request.functions",
                json!("[{\"name\":\"look\"}]"),
                "gen_ai.tool.definitions",
                json!("[{\"type\":\"function\",\"name\":\"look\"}]"),
            ),
        ],
    );
}

fn check_mappings(name: &str, cases: &[(&str, Json, &str, Json)]) {
    let keep = normalizer(vec![source(name)]);
    let remove = normalizer(vec![Source { remove_originals: true, ..source(name) }]);
    for (from, value, to, expected) in cases {
        let attributes = json!({ *from: value });
        assert_eq!(Json::Object(pass(&keep, &attributes)), json!({ *from: value, *to: expected }));
        assert_eq!(Json::Object(pass(&remove, &attributes)), json!({ *to: expected }));
    }
}

/// Scenario: every word of the documented value maps, in any case, and words that are not in them.
/// Guarantees: they become the conventions' operations; others stay as they are.
#[test]
fn operations_get_their_standard_names() {
    let (openinference, openllmetry) =
        (normalizer(vec![source("openinference")]), normalizer(vec![source("openllmetry")]));
    for (normalizer, key, word, operation) in [
        (&openinference, "openinference.span.kind", "LLM", "chat"),
        (&openinference, "openinference.span.kind", "llm", "chat"),
        (&openinference, "openinference.span.kind", "EMBEDDING", "embeddings"),
        (&openinference, "openinference.span.kind", "CHAIN", "invoke_agent"),
        (&openinference, "openinference.span.kind", "RETRIEVER", "retrieval"),
        (&openinference, "openinference.span.kind", "RERANKER", "retrieval"),
        (&openinference, "openinference.span.kind", "TOOL", "execute_tool"),
        (&openinference, "openinference.span.kind", "Agent", "invoke_agent"),
        (&openinference, "openinference.span.kind", "PROMPT", "text_completion"),
        (&openinference, "openinference.span.kind", "GUARDRAIL", "GUARDRAIL"),
        (&openllmetry, "traceloop.span.kind", "workflow", "invoke_workflow"),
        (&openllmetry, "traceloop.span.kind", "task", "invoke_agent"),
        (&openllmetry, "traceloop.span.kind", "agent", "invoke_agent"),
        (&openllmetry, "traceloop.span.kind", "Tool", "execute_tool"),
        (&openllmetry, "llm.request.type", "completion", "text_completion"),
        (&openllmetry, "llm.request.type", "chat", "chat"),
        (&openllmetry, "llm.request.type", "RERANK", "retrieval"),
        (&openllmetry, "llm.request.type", "embedding", "embeddings"),
        (&openllmetry, "llm.request.type", "vision", "vision"),
    ] {
        assert_has(&pass(normalizer, &json!({ key: word })), &json!({ "gen_ai.operation.name": operation }), word);
    }
}

/// Scenario: values of every type under attributes of every type of the conventions.
/// Guarantees: they are brought to it where nothing is lost by that; else nothing is written and the source stays, whatever is asked for.
#[test]
fn values_get_the_type_of_the_conventions() {
    let refused = Json::Null;
    for (target, value, expected) in [
        ("gen_ai.usage.input_tokens", json!(5), json!(5)),
        ("gen_ai.usage.input_tokens", json!(5.0), json!(5)),
        ("gen_ai.usage.input_tokens", json!("-5"), json!(-5)),
        ("gen_ai.usage.input_tokens", json!(5.5), refused.clone()),
        ("gen_ai.usage.input_tokens", json!(9.3e18), refused.clone()),
        ("gen_ai.usage.input_tokens", json!("5.0"), refused.clone()),
        ("gen_ai.usage.input_tokens", json!(" 5"), refused.clone()),
        ("gen_ai.usage.input_tokens", json!(true), refused.clone()),
        ("gen_ai.usage.input_tokens", json!([5]), refused.clone()),
        ("gen_ai.request.temperature", json!(0.25), json!(0.25)),
        ("gen_ai.request.temperature", json!(1), json!(1.0)),
        ("gen_ai.request.temperature", json!("1e-3"), json!(0.001)),
        ("gen_ai.request.temperature", json!("hot"), refused.clone()),
        ("gen_ai.request.temperature", json!("NaN"), refused.clone()),
        ("gen_ai.request.temperature", json!("1e999"), refused.clone()),
        ("gen_ai.request.temperature", json!(false), refused.clone()),
        ("gen_ai.conversation.id", json!("s"), json!("s")),
        ("gen_ai.conversation.id", json!(7), json!("7")),
        ("gen_ai.conversation.id", json!(true), json!("true")),
        ("gen_ai.conversation.id", json!(7.0), json!("7")),
        ("gen_ai.conversation.id", json!(0.25), json!("0.25")),
        ("gen_ai.conversation.id", json!(1e21), json!("1e+21")),
        ("gen_ai.conversation.id", json!(5e-7), json!("5e-7")),
        ("gen_ai.conversation.id", json!(["s"]), refused.clone()),
        ("gen_ai.conversation.id", json!({ "s": 1 }), refused.clone()),
        ("gen_ai.response.finish_reasons", json!("stop"), json!(["stop"])),
        ("gen_ai.response.finish_reasons", json!(["stop", "length"]), json!(["stop", "length"])),
        ("gen_ai.response.finish_reasons", json!([]), json!([])),
        ("gen_ai.response.finish_reasons", json!(["stop", 1]), refused.clone()),
        ("gen_ai.response.finish_reasons", json!(1), refused.clone()),
        ("gen_ai.request.stream", json!(true), json!(true)),
        ("gen_ai.request.stream", json!("T"), json!(true)),
        ("gen_ai.request.stream", json!("False"), json!(false)),
        ("gen_ai.request.stream", json!("yes"), refused.clone()),
        ("gen_ai.request.stream", json!(1), refused.clone()),
        ("gen_ai.tool.call.arguments", json!({ "b": [1, 2.5], "a": null }), json!({ "b": [1, 2.5], "a": null })),
        ("gen_ai.tool.call.result", json!(1), json!(1)),
        ("gen_ai.input.messages", json!([{ "role": "user" }]), json!(r#"[{"role":"user"}]"#)),
        ("gen_ai.tool.definitions", json!({ "z": 1, "a": 2.5 }), json!(r#"{"z":1,"a":2.5}"#)),
        ("gen_ai.tool.definitions", json!("[]"), json!("[]")),
        ("acme.of_no_convention", json!([1, "a"]), json!([1, "a"])),
        ("acme.of_no_convention", json!(0.5), json!(0.5)),
    ] {
        let found = by(Source { remove_originals: true, ..own(&[("x", target)]) }, &json!({ "x": value }));
        let original = if expected.is_null() { &value } else { &Json::Null };
        assert_has(&found, &json!({ target: expected, "x": original }), &format!("{value} as {target}"));
    }
}
