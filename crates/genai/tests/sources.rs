//! One span of each source, as the source writes it.

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::Options;
use support::{assert_has, engine, normalise, pass, sample};

/// A scope, a span name, attributes, and what must come out.
type Case = (&'static str, &'static str, &'static str, Json, Json);

/// One of a source that writes what the conventions say, and is known by its scope.
fn of_conventions(source: &'static str, scope: &'static str) -> Case {
    let attributes =
        json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5 });
    (source, scope, "chat gpt-4o", attributes.clone(), attributes)
}

fn cases() -> Vec<Case> {
    vec![
        (
            "atomiclens",
            "atomiclens.anthropic",
            "anthropic.messages.create",
            json!({ "llm.request.model": "claude-sonnet-4-5-20250929", "llm.request.provider": "anthropic", "llm.usage.prompt_tokens": 5,
                "llm.usage.completion_tokens": 6, "llm.usage.total_tokens": 11, "anthropic.usage.cache_read_input_tokens": 2,
                "anthropic.response.id": "msg_1" }),
            json!({ "gen_ai.response.model": "claude-sonnet-4-5-20250929", "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 7,
                "gen_ai.response.id": "msg_1" }),
        ),
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
        of_conventions("agentscope", "agentscope"),
        of_conventions("agentq", "agentq"),
        (
            "cls-agent-observability",
            "cls-agent-observability",
            "chat gpt-4o-2024-08-06",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-2024-08-06", "gen_ai.response.model": "gpt-4o-2024-08-06" }),
            json!({ "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4o-2024-08-06" }),
        ),
        (
            "ktds-agent-ops",
            "agent_ops_sdk",
            "openai.chat",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-2024-08-06" }),
            json!({ "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4o-2024-08-06" }),
        ),
        of_conventions("genai-otel-instrument", "genai_otel.instrumentors.base"),
        of_conventions("lilypad", "lilypad._opentelemetry._opentelemetry_openai"),
        of_conventions("paid", "paid.python"),
        of_conventions("brokle", "brokle"),
        of_conventions("confident-trace", "confident_trace"),
        of_conventions("splyntra", "splyntra.openai"),
        of_conventions("telemetry-dev", "telemetry_dev"),
        (
            "nvidia-nat",
            "nat",
            "gpt-4o",
            json!({ "nat.event_type": "LLM_START", "nat.subspan.name": "gpt-4o", "nat.conversation.id": "unknown", "openinference.span.kind": "LLM",
                "llm.token_count.prompt": 5, "llm.token_count.completion": 6, "input.value": "Hi", "output.value": "Hello" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5, "gen_ai.conversation.id": null,
                "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"# }),
        ),
        (
            "agent365",
            "microsoft_agents_a365.observability.core.config",
            "response",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.execution.payload": r#"{"id": "resp_1", "model": "gpt-4o-2024-08-06", "status": "completed"}"# }),
            json!({ "gen_ai.response.id": "resp_1", "gen_ai.response.finish_reasons": ["completed"], "spanmill.finish_reason": "stop" }),
        ),
        (
            "veadk",
            "veadk",
            "call_llm",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "openai/gpt-4o",
                "gen_ai.response.model": "openai/gpt-4o", "gen_ai.response.finish_reason": "<no_finish_reason_provided>",
                "server.address": "https://api.openai.com/v1", "gen_ai.request.functions.0.name": "look" }),
            json!({ "gen_ai.tool.definitions": r#"[{"type":"function","name":"look"}]"#, "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": null, "gen_ai.response.finish_reasons": null,
                "server.address": "api.openai.com" }),
        ),
        (
            "adk-ts",
            "iqai-adk",
            "agent_run [default_agent]",
            json!({ "gen_ai.system": "iqai-adk", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
                "adk.llm_response": r#"{"content":{"role":"model","parts":[{"text":"Hello"}]},"finishReason":"STOP"}"# }),
            json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai",
                "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"# }),
        ),
        of_conventions("scorecard", "scorecard-llm"),
        of_conventions("trail", "trail"),
        (
            "pipecat",
            "pipecat",
            "llm",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "metrics.ttfb": 0.25, "stream": true, "output": "Hello" }),
            json!({ "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.request.stream": true,
                "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"# }),
        ),
        (
            "agenta",
            "agenta.tracer",
            "litellm_client",
            json!({ "ag.type.node": "chat", "ag.meta.configuration.model": "gpt-4o", "ag.metrics.unit.tokens.prompt": 5.0,
                "ag.metrics.unit.tokens.completion": 6.0, "ag.metrics.unit.costs.total": 0.25, "ag.data.inputs.prompt.0.role": "user",
                "ag.data.inputs.prompt.0.content": "Hi" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.output_tokens": 6, "gen_ai.usage.cost.amount": 0.25,
                "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"# }),
        ),
        (
            "promptlayer",
            "promptlayer.otlp",
            "openai.OpenAI.chat.completions.create",
            json!({ "provider": "openai", "function_input": "{'args': (), 'kwargs': {'model': 'gpt-4o', 'messages': [{'role': 'user', 'content': 'Hi'}]}}",
                "function_output": "ChatCompletion(id='chatcmpl-1', choices=[Choice(finish_reason='stop', index=0, message=ChatCompletionMessage(content='Hello', \
                    role='assistant'))], model='gpt-4o-2024-08-06', usage=CompletionUsage(completion_tokens=6, prompt_tokens=5, total_tokens=11))" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
                "spanmill.finish_reason": "stop" }),
        ),
        (
            "agento11y",
            "github.com/grafana/sigil/sdks/python",
            "generateText gpt-4o",
            json!({ "agento11y.generation.id": "chatcmpl-1", "gen_ai.operation.name": "generateText", "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 9, "gen_ai.usage.cache_write_input_tokens": 4, "gen_ai.usage.output_tokens": 6 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.input_tokens": 9,
                "gen_ai.usage.cache_creation.input_tokens": 4 }),
        ),
        (
            "openai-agents-otel",
            "openai.agents",
            "gen_ai.response",
            json!({ "agent.span.type": "response", "error.data": "{\"error\": \"Error code: 429 - Rate limit reached for requests.\"}",
                "error.message": "Error getting response" }),
            json!({ "gen_ai.operation.name": "chat" }),
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
            "openai-agents",
            "openinference.instrumentation.openai_agents",
            "response",
            json!({ "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o-2024-08-06",
                "llm.invocation_parameters": "{\"id\": \"resp_1\", \"model\": \"gpt-4o-2024-08-06\", \"temperature\": 1.0}",
                "llm.token_count.prompt": 5, "llm.token_count.completion": 6, "output.value": "{\"id\": \"resp_1\", \"model\": \"gpt-4o-2024-08-06\"}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.response.id": "resp_1", "gen_ai.request.temperature": 1.0, "gen_ai.usage.input_tokens": 5 }),
        ),
        (
            "openai-agents",
            "openinference.instrumentation.openai_agents",
            "generation",
            json!({ "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.token_count.prompt": 5,
                "output.value": "[{\"id\": \"__fake_id__\", \"output\": [{\"provider_data\": {\"response_id\": \"chatcmpl-1\"}}]}]" }),
            json!({ "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": null, "gen_ai.response.id": "chatcmpl-1" }),
        ),
        (
            "otel-aws-sdk",
            "@opentelemetry/instrumentation-aws-sdk",
            "chat x",
            json!({ "gen_ai.system": "aws.bedrock", "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 2 }),
            json!({ "gen_ai.provider.name": "aws.bedrock", "gen_ai.usage.input_tokens": 7 }),
        ),
        (
            "codex-cli",
            "codex_cli_rs",
            "session_task.turn",
            json!({ "model": "gpt-5", "conversation.id": "c", "codex.turn.token_usage.input_tokens": 50, "codex.turn.token_usage.cached_input_tokens": 20,
                "codex.turn.token_usage.output_tokens": 6, "codex.turn.token_usage.reasoning_output_tokens": 4 }),
            json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-5", "gen_ai.conversation.id": "c", "gen_ai.usage.input_tokens": 50,
                "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.usage.reasoning.output_tokens": 4 }),
        ),
        (
            "copilot-cli",
            "github.copilot",
            "chat",
            json!({ "gen_ai.operation.name": "chat", "github.copilot.cost": 1.0, "enduser.pseudo.id": "me" }),
            json!({ "user.id": "me", "gen_ai.usage.cost.amount": null }),
        ),
        (
            "genkit",
            "genkit-tracer",
            "googleai/gemini-2.5-flash",
            json!({ "genkit:type": "action", "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash",
                "genkit:output": "{\"finishReason\": \"stop\", \"usage\": {\"inputTokens\": 42, \"outputTokens\": 17, \"thoughtsTokens\": 3, \"totalTokens\": 59}}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash",
                "gen_ai.usage.input_tokens": 42, "gen_ai.usage.output_tokens": 17, "gen_ai.usage.reasoning.output_tokens": 3, "spanmill.finish_reason": "stop" }),
        ),
        (
            "spring-ai",
            "org.springframework.boot",
            "chat gpt-4o",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": "5",
                "gen_ai.response.finish_reasons": "[\"STOP\"]", "gen_ai.request.temperature": "0.7" }),
            json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.response.finish_reasons": ["STOP"], "spanmill.finish_reason": "stop", "gen_ai.request.temperature": 0.7 }),
        ),
        (
            "spring-ai",
            "org.springframework.boot",
            "tool_call search",
            json!({ "spring.ai.kind": "tool_call", "gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai", "spring.ai.tool.definition.name": "search",
                "spring.ai.tool.call.arguments": "{}" }),
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.arguments": "{}" }),
        ),
        (
            "langwatch",
            "langwatch",
            "llm",
            json!({ "langwatch.span.type": "llm", "gen_ai.request.model": "gpt-4o", "langwatch.thread.id": "t",
                "langwatch.metrics": "{\"type\": \"json\", \"value\": {\"promptTokens\": 5, \"completionTokens\": 6, \"firstTokenMs\": 250}}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
                "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.conversation.id": "t" }),
        ),
        (
            "langwatch",
            "my.app",
            "rag",
            json!({ "langwatch.span.type": "rag", "langwatch.timestamps": "{\"first_token_at\": 1790000000250}" }),
            json!({ "gen_ai.operation.name": "retrieval", "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "braintrust",
            "my.app",
            "Chat Completion",
            json!({ "braintrust.parent": "project:x", "braintrust.span_attributes": "{\"type\": \"llm\"}",
                "braintrust.metadata": "{\"model\": \"gpt-4o\", \"provider\": \"openai\"}",
                "braintrust.output_json": r#"[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]"#,
                "braintrust.metrics": "{\"prompt_tokens\": 50, \"completion_tokens\": 6, \"prompt_cached_tokens\": 20, \"time_to_first_token\": 0.25}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 50,
                "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.response.time_to_first_chunk": 0.25,
                "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"# }),
        ),
        (
            "laminar",
            "my.app",
            "search",
            json!({ "lmnr.span.type": "TOOL", "lmnr.span.input": "{}", "lmnr.association.properties.session_id": "s" }),
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}", "gen_ai.conversation.id": "s" }),
        ),
        (
            "livekit",
            "livekit-agents",
            "llm_request",
            json!({ "gen_ai.request.model": "gpt-4o", "lk.response.ttft": 0.25, "lk.response.function_calls": "[]", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "voltagent",
            "@voltagent/core",
            "llm:generateText",
            json!({ "span.type": "llm", "llm.usage.prompt_tokens": 7, "llm.usage.completion_tokens": 8, "voltagent.conversation_id": "c" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 8, "gen_ai.conversation.id": "c" }),
        ),
        (
            "judgeval",
            "judgeval",
            "OPENAI_API_CALL",
            json!({ "judgment.span_kind": "llm", "judgment.llm.model": "gpt-4o-2024-08-06", "gen_ai.prompt": "{\"model\": \"gpt-4o\"}",
                "gen_ai.completion": "{\"id\": \"chatcmpl-1\", \"choices\": [{\"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens\": 12}}",
                "judgment.usage.non_cached_input_tokens": 5, "judgment.usage.cache_read_input_tokens": 7, "judgment.usage.output_tokens": 6 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.usage.input_tokens": 12, "gen_ai.response.id": "chatcmpl-1", "spanmill.finish_reason": "stop" }),
        ),
        (
            "promptflow",
            "promptflow",
            "openai_chat",
            json!({ "framework": "promptflow", "span_type": "LLM", "inputs": "{\"model\": \"gpt-4o\", \"stream\": true}",
                "output": "[{\"id\": \"chatcmpl-1\", \"choices\": [{\"finish_reason\": null}]}, {\"choices\": [{\"finish_reason\": \"stop\"}]}, {\"usage\": {\"prompt_tokens\": 5, \"completion_tokens\": 6}}]" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.request.stream": true, "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "spanmill.finish_reason": "stop" }),
        ),
        (
            "trulens",
            "trulens.core.otel.instrument",
            "langchain_openai.chat_models.base.ChatOpenAI.invoke",
            json!({ "ai.observability.span_type": "record_root", "ai.observability.cost.model": "gpt-4o-2024-08-06",
                "ai.observability.cost.num_prompt_tokens": 5, "ai.observability.cost.num_completion_tokens": 6,
                "ai.observability.call.return": "content='Hi' additional_kwargs={'refusal': None} response_metadata={'id': 'chatcmpl-1', 'finish_reason': 'stop'} tool_calls=[]" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 5,
                "gen_ai.response.id": "chatcmpl-1", "spanmill.finish_reason": "stop" }),
        ),
        (
            "monocle",
            "monocle_apptrace",
            "openai.resources.chat.completions.completions.Completions.create",
            json!({ "monocle_apptrace.version": "0.8", "span.type": "inference", "entity.1.type": "inference.azure_openai",
                "entity.2.name": "gpt-4o", "prompt_tokens": 5, "completion_tokens": 6, "finish_reason": "stop" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "spanmill.finish_reason": "stop" }),
        ),
        (
            "mirascope",
            "mirascope.llm",
            "chat anthropic/claude-sonnet-4-5",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 6,
                "mirascope.response.usage": "{\"input_tokens\": 9, \"cache_read_tokens\": 3, \"cache_write_tokens\": 2, \"reasoning_tokens\": 1}" }),
            json!({ "gen_ai.usage.input_tokens": 9, "gen_ai.usage.cache_read.input_tokens": 3, "gen_ai.usage.cache_creation.input_tokens": 2,
                "gen_ai.usage.reasoning.output_tokens": 1 }),
        ),
        (
            "netra",
            "netra.instrumentation.openai",
            "openai.chat",
            json!({ "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.completion.0.role": "assistant", "gen_ai.completion.1.finish_reason": "stop",
                "gen_ai.usage.prompt_tokens": 5, "netra.session_id": "s", "netra.user_id": "u" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "spanmill.finish_reason": "stop", "gen_ai.conversation.id": "s", "user.id": "u" }),
        ),
        of_conventions("mistral-sdk-native", "mistralai_sdk_tracer"),
        of_conventions("azure-sdk", "azure.core.tracing.ext.opentelemetry_span"),
        (
            "any-agent",
            "any_agent",
            "chat gpt-4o",
            json!({ "gen_ai.operation.name": "call_llm", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5 }),
        ),
        of_conventions("autogen", "autogen-core"),
        of_conventions("fiddler", "fiddler.otel.tracer"),
        of_conventions("rig", "rig"),
        (
            "haystack",
            "my_application",
            "haystack.component.run",
            json!({ "haystack.component.type": "OpenAIChatGenerator",
                "haystack.component.output": "{\"replies\": [{\"_meta\": {\"model\": \"gpt-4o-2024-08-06\", \"finish_reason\": \"stop\", \"usage\": {\"prompt_tokens\": 5, \"completion_tokens\": 6}}}]}" }),
            json!({ "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 5, "spanmill.finish_reason": "stop" }),
        ),
        (
            "dify",
            "dify-sdk",
            "llm",
            json!({ "gen_ai.span.kind": "LLM", "dify.app_id": "a", "gen_ai.response.model": "gpt-4o", "gen_ai.usage.input_tokens": 5, "gen_ai.response.finish_reason": "stop" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "spanmill.finish_reason": "stop" }),
        ),
        (
            "crewai",
            "crewai.telemetry",
            "Tool Usage",
            json!({ "crew_key": "k", "tool_name": "search", "agent_role": "Researcher" }),
            json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.agent.name": "Researcher" }),
        ),
        (
            "vllm",
            "vllm.llm_engine",
            "llm_request",
            json!({ "gen_ai.request.id": "cmpl-1", "gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": 6, "gen_ai.latency.time_to_first_token": 0.25 }),
            json!({ "gen_ai.response.id": "cmpl-1", "gen_ai.provider.name": "vllm", "gen_ai.usage.input_tokens": 5, "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "sglang",
            "sglang",
            "Req 1",
            json!({ "gen_ai.request.id": "1", "gen_ai.usage.prompt_tokens": 50, "gen_ai.usage.completion_tokens": 6, "gen_ai.usage.cached_tokens": 20 }),
            json!({ "gen_ai.usage.input_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 20, "gen_ai.provider.name": "sglang" }),
        ),
        (
            "tgi",
            "text-generation-router",
            "generate_stream",
            json!({ "time_per_token": "12.5ms", "total_time": "1.2s" }),
            json!({ "gen_ai.operation.name": "text_completion", "gen_ai.provider.name": "hugging_face" }),
        ),
        (
            "loongsuite",
            "loongsuite.instrumentation.dashscope",
            "chat qwen-max",
            json!({ "gen_ai.span.kind": "LLM", "gen_ai.request.model": "qwen-max", "gen_ai.response.time_to_first_token": 250_000_000 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "sentry",
            "sentry.python",
            "chat gpt-4o",
            json!({ "sentry.op": "gen_ai.chat", "gen_ai.request.messages": "[]", "gen_ai.system": "openai", "gen_ai.usage.input_tokens": 50,
                "gen_ai.usage.input_tokens.cached": 20, "gen_ai.cost.total_tokens": 0.25, "gen_ai.response.time_to_first_token": 0.25 }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 20,
                "gen_ai.usage.cost.amount": 0.25, "gen_ai.response.time_to_first_chunk": 0.25 }),
        ),
        (
            "datadog",
            "ddtrace",
            "openai.request",
            json!({ "_ml_obs.meta.span.kind": "llm", "_ml_obs.meta.model_name": "gpt-4o", "_ml_obs.meta.model_provider": "openai",
                "_ml_obs.metrics": "{\"input_tokens\": 5, \"output_tokens\": 6}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5 }),
        ),
        (
            "langgraph",
            "my.app",
            "agent",
            json!({ "langgraph.node.name": "planner", "lc.metadata.thread_id": "t", "gen_ai.operation.name": "invoke_agent" }),
            json!({ "gen_ai.agent.name": "planner", "gen_ai.conversation.id": "t" }),
        ),
        (
            "bedrock-agentcore",
            "my.app",
            "chat",
            json!({ "aws.agentcore.configbundle_version": "1", "gen_ai.operation.name": "chat", "session.id": "s", "aws.bedrock.agent.id": "a" }),
            json!({ "gen_ai.conversation.id": "s", "gen_ai.agent.id": "a", "gen_ai.provider.name": "aws.bedrock" }),
        ),
        (
            "unknown",
            "somebody.else",
            "call",
            json!({ "llm.provider": "OpenAI", "llm.model": "gpt-4o", "llm.tokens.prompt": "5", "llm.tokens.completion": 6.0, "llm.ttft_ms": 250,
                "llm.finish_reason": "tool_calls", "llm.cost_usd": 0.25 }),
            json!({ "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
                "gen_ai.response.time_to_first_chunk": 0.25, "spanmill.finish_reason": "tool_call", "gen_ai.usage.cost.amount": 0.25 }),
        ),
        (
            "unknown",
            "somebody.else",
            "call",
            json!({ "gen_ai.model": "claude-x", "gen_ai.usage": "{\"input_tokens\": 5, \"output_tokens\": 6, \"cache_read_input_tokens\": 20}",
                "gen_ai.span.kind": "STEP", "gen_ai.time_to_first_token_ns": 250_000_000 }),
            json!({ "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 25, "gen_ai.usage.cache_read.input_tokens": 20,
                "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.operation.name": null }),
        ),
        (
            "traceai",
            "traceai_openai",
            "ChatCompletion",
            json!({ "gen_ai.span.kind": "LLM", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-2024-08-06",
                "gen_ai.request.parameters": "{\"model\": \"gpt-4o\", \"temperature\": 0.5}", "gen_ai.tool.definitions": "null",
                "gen_ai.input.messages.0.message.role": "user", "gen_ai.input.messages.0.message.content": "Weather?",
                "gen_ai.output.messages.0.message.role": "assistant",
                "gen_ai.output.messages.0.message.tool_calls.0.tool_call.function.name": "look",
                "gen_ai.output.messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "output.value": "Function: look({})" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.request.temperature": 0.5, "gen_ai.tool.definitions": null, "spanmill.finish_reason": "tool_call",
                "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Weather?\"}]}]",
                "gen_ai.output.messages":
                    "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"name\":\"look\",\"arguments\":{}}],\"finish_reason\":\"tool_call\"}]" }),
        ),
        (
            "ag2",
            "opentelemetry.instrumentation.ag2",
            "chat gpt-4o-2024-08-06",
            json!({ "ag2.span.type": "llm", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 5,
                "gen_ai.request.model": "gpt-4o-2024-08-06", "gen_ai.response.model": "gpt-4o-2024-08-06" }),
            json!({ "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4o-2024-08-06" }),
        ),
        (
            "openlit-litellm",
            "openlit.instrumentation.litellm",
            "chat anthropic/claude-x",
            json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "litellm", "gen_ai.request.model": "anthropic/claude-x",
                "gen_ai.usage.input_tokens": 20, "gen_ai.usage.cache_creation.input_tokens": 15, "gen_ai.server.time_to_first_token": 1.0 }),
            json!({ "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 20, "gen_ai.response.time_to_first_chunk": null }),
        ),
        (
            "langtrace",
            "langtrace_python_sdk.instrumentation.anthropic",
            "anthropic.messages.create",
            json!({ "langtrace.service.name": "Anthropic", "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-x",
                "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
                "gen_ai.request.tool_results": "\"{\\\"id\\\":\\\"t1\\\",\\\"input\\\":{},\\\"name\\\":\\\"look\\\",\\\"type\\\":\\\"tool_use\\\"}\"" }),
            json!({ "gen_ai.provider.name": "anthropic", "spanmill.finish_reason": "tool_call", "gen_ai.output.messages":
                "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"t1\",\"name\":\"look\",\"arguments\":{}}],\"finish_reason\":\"tool_call\"}]" }),
        ),
        (
            "openllmetry",
            "opentelemetry.instrumentation.agno",
            "weather_agent.agent",
            json!({ "traceloop.span.kind": "agent", "gen_ai.system": "agno", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5 }),
            json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai" }),
        ),
        (
            "haystack",
            "haystack",
            "haystack.component.run",
            json!({ "haystack.component.type": "OpenAIChatGenerator", "haystack.component.input": "{\"messages\": [{\"role\": \"user\", \"content\": [{\"text\": \"Hi\"}]}]}",
                "haystack.component.output": "{\"replies\": [{\"role\": \"assistant\", \"content\": [{\"text\": \"Ho\"}], \"meta\": {\"model\": \"gpt-4o-2024-08-06\", \"finish_reason\": \"stop\", \"usage\": {\"prompt_tokens\": 5, \"completion_tokens\": 6}}}]}" }),
            json!({ "gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 5,
                "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]" }),
        ),
        (
            "haystack",
            "haystack",
            "haystack.component.run",
            json!({ "haystack.component.type": "OpenAITextEmbedder",
                "haystack.component.output": "{\"embedding\": [], \"meta\": {\"model\": \"text-embedding-3-small\", \"usage\": {\"prompt_tokens\": 5}}}" }),
            json!({ "gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 5 }),
        ),
        (
            "litellm",
            "litellm",
            "raw_gen_ai_request",
            json!({ "llm.gemini.responseId": "r1", "llm.gemini.candidates": "[{'content': {'parts': [{'text': 'Ho'}], 'role': 'model'}, 'finishReason': 'STOP'}]" }),
            json!({ "gen_ai.response.id": "r1", "gen_ai.response.finish_reasons": ["STOP"],
                "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Ho\"}],\"finish_reason\":\"stop\"}]" }),
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
    // What LlamaIndex says stands in events.
    untested.retain(|name| name != "generic" && name != "llama-index");
    for (source, scope, name, attributes, expected) in cases() {
        let seen = normalise(&[sample(1, scope, &attributes).name(name)]);
        assert_has(&seen[&1], &json!({ "spanmill.source": source }), source);
        assert_has(&seen[&1], &expected, source);
        untested.retain(|name| name != source);
    }
    assert!(untested.is_empty(), "without a sample: {untested:?}");
}

/// Scenario: spans of LlamaIndex's exporter, which say what they know in events: a call, one that failed, and a step between; originals are
/// to be removed.
/// Guarantees: events are read as attributes are and stay where they are; the step is none of GenAI.
#[test]
fn events_stand_for_attributes() {
    let asked = json!({ "model_dict.model_name": "gpt-4o", "messages": "[{\"role\": \"user\", \"blocks\": [{\"block_type\": \"text\", \"text\": \"Hi\"}]}]" });
    let answered = json!({ "response.raw.id": "chatcmpl-1", "response.raw.model": "gpt-4o-2024-08-06",
        "response.raw.choices": "[{\"finish_reason\": \"stop\", \"message\": {\"role\": \"assistant\", \"content\": \"Ho\"}}]",
        "response.raw.usage.prompt_tokens": 5, "response.raw.usage.completion_tokens": 6, "response.raw.usage.prompt_tokens_details.cached_tokens": 2 });
    let failed = json!({ "exception.type": "openai.RateLimitError", "exception.message": "Error code: 429" });
    let span = |id| sample(id, "llamaindex.opentelemetry.tracer", &json!({}));
    let call = span(1).name("OpenAI.chat").event(1, "LLMChatStartEvent", &asked).event(9, "LLMChatEndEvent", &answered);
    let refused =
        span(2).name("OpenAI.chat").event(1, "LLMChatStartEvent", &asked).event(9, "exception", &failed).failed("");
    let engine = engine(&Options { remove_originals: true, ..Options::default() });
    let events = call.span.events.len();
    let mut traces = spanmill_otlp::Traces::parse(support::request(std::slice::from_ref(&call)).into()).unwrap();
    engine.process(&mut traces);
    assert_eq!(traces.spans().map(|span| span.events().count()).collect::<Vec<_>>(), [events]);
    let seen = pass(&engine, &[call.trace(8), refused, span(3).name("SentenceSplitter.__call__")]);
    assert_has(
        &seen[&1],
        &json!({
            "spanmill.source": "llama-index", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.usage.cache_read.input_tokens": 2,
            "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]",
            "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Ho\"}],\"finish_reason\":\"stop\"}]",
        }),
        "the call",
    );
    assert_has(
        &seen[&2],
        &json!({ "gen_ai.request.model": "gpt-4o", "spanmill.error.class": "rate_limit" }),
        "the refused call",
    );
    assert!(seen[&3].is_empty());
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
    let plain = json!({ "http.response.status_code": 500, "server.address": "x", "ratio": "NaN!" });
    // These instrumentations trace more than models.
    let mixed = json!({ "logfire.msg": "GET /", "model": "T" });
    let samples = ["http", "logfire.fastapi", "org.springframework.boot", "@opentelemetry/instrumentation-http"]
        .map(|scope| [sample(1, scope, &plain), sample(2, scope, &mixed)]);
    let request = support::request(&samples.concat());
    let mut traces = spanmill_otlp::Traces::parse(request.clone().into()).unwrap();
    engine(&Options::default()).process(&mut traces);
    assert!(!traces.is_edited());
    assert_eq!(traces.encode(), request);
}
