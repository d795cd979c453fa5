//! One span of each source, as the source writes it.

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::Options;
use support::{assert_has, engine, normalise, pass, sample};

/// A scope, a span name, attributes, and what must come out.
type Case = (&'static str, &'static str, &'static str, Json, Json);

fn cases() -> Vec<Case> {
    vec![
        (
            "anthropic-sdk-native",
            "com.anthropic.sdk.python",
            "anthropic.messages.create",
            json!({ "gen_ai.provider.name": "anthropic", "gen_ai.operation.name": "chat", "anthropic.message.stop_reason": "tool_use",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.usage.cache_write.input_tokens": 2 }),
            json!({ "gen_ai.response.finish_reasons": ["tool_use"], "spanmill.finish_reason": "tool_call", "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.cache_creation.input_tokens": 2 }),
        ),
        (
            "otel-botocore",
            "opentelemetry.instrumentation.botocore.bedrock-runtime",
            "chat x",
            json!({ "gen_ai.system": "aws.bedrock", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 2 }),
            json!({ "gen_ai.provider.name": "aws.bedrock", "gen_ai.usage.input_tokens": 7 }),
        ),
        (
            "otel-semconv",
            "opentelemetry.instrumentation.google_genai",
            "generate_content gemini-2.5-flash",
            json!({ "gen_ai.provider.name": "gemini", "gen_ai.operation.name": "generate_content", "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.provider.name": "gcp.gemini", "gen_ai.operation.name": "generate_content" }),
        ),
        (
            "handwritten",
            "my.app",
            "llm call",
            json!({ "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-x", "gen_ai.latency_ms": 12, "gen_ai.response.stop_reason": "end_turn",
                "gen_ai.usage.input_tokens": 5, "gen_ai.cost.usd": 0.25 }),
            json!({ "gen_ai.provider.name": "anthropic", "gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": ["end_turn"],
                "gen_ai.usage.cost.amount": 0.25, "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "reported" }),
        ),
        (
            "openinference",
            "openinference.instrumentation.openai",
            "ChatCompletion",
            json!({ "openinference.span.kind": "LLM", "llm.system": "openai", "llm.provider": "azure", "llm.model_name": "gpt-4o-2024-08-06",
                "llm.invocation_parameters": "{\"model\": \"gpt-4o\", \"temperature\": 0}", "llm.token_count.prompt": 5, "llm.token_count.completion": 6,
                "output.value": "{\"id\": \"chatcmpl-1\", \"choices\": [{\"finish_reason\": \"stop\"}]}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.request.temperature": 0.0, "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.output_tokens": 6, "gen_ai.response.id": "chatcmpl-1", "spanmill.finish_reason": "stop" }),
        ),
        (
            "openinference",
            "openinference.instrumentation.langchain",
            "tool",
            json!({ "openinference.span.kind": "TOOL", "tool.name": "search", "input.value": "{}", "output.value": "found" }),
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "found" }),
        ),
        (
            "vercel-ai",
            "next.js",
            "ai.streamText.doStream",
            json!({ "ai.operationId": "ai.streamText.doStream", "ai.model.provider": "google.generative-ai", "ai.model.id": "gemini-x",
                "ai.usage.inputTokens": 5, "ai.usage.outputTokens": 6, "ai.response.msToFirstChunk": 250.0, "ai.response.finishReason": "tool-calls" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-x", "gen_ai.usage.input_tokens": 5,
                "gen_ai.response.time_to_first_chunk": 0.25, "spanmill.finish_reason": "tool_call" }),
        ),
        (
            "langfuse",
            "langfuse-sdk",
            "generation",
            json!({ "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o",
                "langfuse.observation.usage_details": "{\"input\":28,\"output\":69,\"total\":5309,\"input_cached_tokens\":5212}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 5240, "gen_ai.usage.cache_read.input_tokens": 5212 }),
        ),
        (
            "langsmith",
            "langsmith",
            "ChatOpenAI",
            json!({ "langsmith.span.kind": "llm", "gen_ai.system": "langchain", "langsmith.metadata.ls_provider": "openai", "langsmith.metadata.ls_model_name": "gpt-4o",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.input_token_details": "{'audio': None, 'cache_read': 2}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.cache_read.input_tokens": 2 }),
        ),
        (
            "mlflow",
            "mlflow.tracing.provider",
            "Completions",
            json!({ "mlflow.spanType": "\"CHAT_MODEL\"", "model": "\"gpt-4o\"", "mlflow.llm.model": "\"gpt-4o-2024-08-06\"",
                "mlflow.chat.tokenUsage": "{\"input_tokens\": 5, \"output_tokens\": 6}", "mlflow.spanOutputs": "{\"id\": \"chatcmpl-1\"}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.output_tokens": 6,
                "gen_ai.response.id": "chatcmpl-1" }),
        ),
        (
            "mastra",
            "@mastra/otel",
            "chat",
            json!({ "mastra.span.type": "model_generation", "gen_ai.system": "openai.chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.cached_input_tokens": "2",
                "gen_ai.usage.input_tokens": "5", "gen_ai.response.finish_reasons": "stop" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 2,
                "gen_ai.response.finish_reasons": ["stop"] }),
        ),
        (
            "claude-code",
            "com.anthropic.claude_code.tracing",
            "claude_code.llm_request",
            json!({ "model": "claude-x", "input_tokens": 5, "output_tokens": 6, "cache_read_tokens": 10, "ttft_ms": 250, "stop_reason": "end_turn" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-x", "gen_ai.usage.input_tokens": 15,
                "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "google-adk",
            "gcp.vertex.agent",
            "call_llm",
            json!({ "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash", "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini" }),
        ),
        (
            "gemini-cli",
            "gemini-cli",
            "llm_call",
            json!({ "gen_ai.operation.name": "llm_call", "gen_ai.request.model": "gemini-x", "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.usage.input_tokens": null }),
        ),
        (
            "strands",
            "my-service",
            "chat",
            json!({ "gen_ai.system": "strands-agents", "gen_ai.operation.name": "chat", "gen_ai.request.model": "us.anthropic.claude-x",
                "gen_ai.server.time_to_first_token": 250, "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.provider.name": "aws.bedrock", "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "pydantic-ai",
            "pydantic-ai",
            "running tool",
            json!({ "gen_ai.tool.name": "search", "tool_arguments": "{}" }),
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}" }),
        ),
        (
            "logfire",
            "logfire.openai",
            "Chat Completion",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.response.finish_reasons": "[\"stop\"]",
                "gen_ai.usage.raw": "{\"prompt_tokens_details\": {\"cached_tokens\": 2}}" }),
            json!({ "gen_ai.usage.cache_read.input_tokens": 2, "gen_ai.response.finish_reasons": ["stop"] }),
        ),
        (
            "agent-framework",
            "agent_framework",
            "chat",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.system": "anthropic", "gen_ai.usage.input_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 2 }),
            json!({ "gen_ai.usage.input_tokens": 52 }),
        ),
        (
            "semantic-kernel",
            "semantic_kernel.utils.telemetry",
            "chat",
            json!({ "gen_ai.operation.name": "chat.completion", "gen_ai.system": "openai", "gen_ai.response.finish_reason": "FinishReason.STOP" }),
            json!({ "gen_ai.operation.name": "chat", "spanmill.finish_reason": "stop" }),
        ),
        (
            "litellm",
            "litellm",
            "litellm_request",
            json!({ "llm.request.type": "acompletion", "gen_ai.system": "openai", "gen_ai.request.model": "openai/gpt-4o", "llm.is_streaming": "True",
                "gen_ai.usage.prompt_tokens": 5, "gen_ai.cost.total_cost": 0.5 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.request.stream": true, "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.cost.amount": 0.5 }),
        ),
        (
            "openlit",
            "openlit.instrumentation.openai",
            "chat",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.server.time_to_first_token": 1.0, "gen_ai.usage.cost": 0.0, "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.response.time_to_first_chunk": null, "gen_ai.usage.cost.amount": null }),
        ),
        (
            "openllmetry",
            "opentelemetry.instrumentation.openai.v1",
            "openai.chat",
            json!({ "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.usage.prompt_tokens": 5, "gen_ai.completion.0.finish_reason": "length" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 5, "spanmill.finish_reason": "length" }),
        ),
        (
            "unknown",
            "somebody.else",
            "chat",
            json!({ "gen_ai.system": "Mistral", "gen_ai.usage.completion_tokens": 6 }),
            json!({ "gen_ai.provider.name": "mistral_ai", "gen_ai.usage.output_tokens": 6 }),
        ),
    ]
}

/// Scenario: a span of each source.
/// Guarantees: it is recognised, what it says stands under the standard names with the right types, a second pass changes nothing,
/// and no source is without such a span.
#[test]
fn each_source_is_understood() {
    let mut untested: Vec<String> = engine(&Options::default()).source_names().map(str::to_owned).collect();
    untested.retain(|name| name != "generic");
    for (source, scope, name, attributes, expected) in cases() {
        let seen = normalise(&[sample(1, scope, &attributes).name(name)]);
        assert_has(&seen[&1], &json!({ "spanmill.source": source }), source);
        assert_has(&seen[&1], &expected, source);
        untested.retain(|name| name != source);
    }
    assert!(untested.is_empty(), "without a sample: {untested:?}");
}

/// Scenario: originals are to be removed.
/// Guarantees: what was read under other names is gone, and what has no standard name stays.
#[test]
fn originals_are_removed() {
    let engine = engine(&Options { remove_originals: true, ..Options::default() });
    let attributes = json!({ "gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 5, "traceloop.entity.path": "x", "llm.is_streaming": "true" });
    let seen = pass(&engine, &[sample(1, "traceloop.tracer", &attributes)]);
    assert_has(
        &seen[&1],
        &json!({
            "gen_ai.system": null, "gen_ai.provider.name": "openai", "gen_ai.usage.prompt_tokens": null, "gen_ai.usage.input_tokens": 5,
            "traceloop.entity.path": "x", "llm.is_streaming": null, "gen_ai.request.stream": true,
        }),
        "removed",
    );
}

/// Scenario: only one source is to be recognised.
/// Guarantees: spans of others are read by attribute names alone; a name that does not exist is refused.
#[test]
fn sources_can_be_chosen() {
    let engine = engine(&Options { sources: Some(vec!["openinference".to_owned()]), ..Options::default() });
    let attributes = json!({ "gen_ai.usage.prompt_tokens": 5, "gen_ai.latency_ms": 7 });
    let seen = pass(&engine, &[sample(1, "litellm", &attributes)]);
    assert_has(&seen[&1], &json!({ "spanmill.source": "unknown", "gen_ai.usage.input_tokens": 5 }), "others");
    let unknown = Options { sources: Some(vec!["nobody".to_owned()]), ..Options::default() };
    let message = spanmill_genai::Engine::new(&unknown).unwrap_err().to_string();
    assert!(message.contains("nobody") && message.contains("openinference"), "{message}");
}

/// Scenario: spans that have nothing to do with GenAI.
/// Guarantees: the request passes as the very bytes that came in.
#[test]
fn other_spans_stay_untouched() {
    let request = support::request(&[sample(
        1,
        "http",
        &json!({ "http.response.status_code": 500, "server.address": "x", "ratio": "NaN!" }),
    )]);
    let mut traces = spanmill_otlp::Traces::parse(request.clone().into()).unwrap();
    engine(&Options::default()).process(&mut traces);
    assert!(!traces.is_edited());
    assert_eq!(traces.encode(), request);
}
