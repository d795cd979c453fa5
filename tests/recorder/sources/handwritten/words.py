"""What authors of wrappers write on their spans: each class has the names of one manner that is found in public code and articles."""
import json
import time

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from driver.case import CASE, STREAM

TRACER = trace.get_tracer("chat_api.llm")


def put(span, values):
    for name, value in values.items():
        if value is not None:
            span.set_attribute(name, value)


class Wrapper:
    name = "llm.chat"

    def session(self, ask):
        return ask()

    def call(self, client, messages):
        with TRACER.start_as_current_span(self.name, kind=SpanKind.CLIENT) as span:
            started = time.monotonic()
            self.before(span, client, messages)
            try:
                answer = client.ask(messages, lambda seconds: self.first(span, seconds))
            except Exception as error:
                self.failed(span, error)
                raise
            self.after(span, client, answer, time.monotonic() - started)
            return answer

    def tool(self, call, run):
        with TRACER.start_as_current_span(f"tool.{call.name}") as span:
            result = run()
            put(span, {"tool.name": call.name, "tool.input": call.arguments, "tool.output": result})
            return result

    def first(self, span, seconds):
        pass

    def failed(self, span, error):
        span.set_status(Status(StatusCode.ERROR, str(error)))


class Flat(Wrapper):
    name = "llm.chat_completion"

    def before(self, span, client, messages):
        put(span, {"llm.provider": client.provider, "llm.model": client.model, "llm.message_count": len(messages), "llm.stream": STREAM,
                   "llm.max_tokens": client.options().get("max_tokens"), "llm.temperature": client.options().get("temperature")})

    def first(self, span, seconds):
        span.set_attribute("llm.ttft_ms", round(seconds * 1000, 2))

    def after(self, span, client, answer, seconds):
        put(span, {"llm.prompt_tokens": answer.input, "llm.completion_tokens": answer.output,
                   "llm.total_tokens": (answer.input or 0) + (answer.output or 0), "llm.finish_reason": answer.finish,
                   "llm.response_model": answer.model, "llm.cache_read_tokens": answer.cache_read,
                   "llm.cache_creation_tokens": answer.cache_write, "llm.reasoning_tokens": answer.reasoning,
                   "llm.latency_ms": round(seconds * 1000, 2), "llm.tool_calls": len(answer.tools)})

    def failed(self, span, error):
        span.set_attribute("llm.error", True)
        super().failed(span, error)


class Parts(Wrapper):
    name = "LLM.Invoke"

    def before(self, span, client, messages):
        put(span, {"llm.vendor": client.provider, "llm.model.name": client.model, "llm.operation": "chat", "llm.streaming": STREAM})

    def first(self, span, seconds):
        span.set_attribute("llm.ttft", duration(seconds))

    def after(self, span, client, answer, seconds):
        put(span, {"llm.tokens.input": answer.input, "llm.tokens.output": answer.output, "llm.tokens.cache_read": answer.cache_read,
                   "llm.tokens.cache_write": answer.cache_write, "llm.tokens.reasoning": answer.reasoning,
                   "llm.response.model": answer.model, "llm.response.id": answer.id, "llm.response.stop_reason": answer.finish,
                   "llm.duration": duration(seconds), "llm.has_tool_calls": bool(answer.tools)})

    def failed(self, span, error):
        put(span, {"error.type": type(error).__name__, "error.message": str(error)})
        span.set_status(Status(StatusCode.ERROR, str(error)))


def duration(seconds):
    """As Go prints it."""
    return f"{round(seconds * 1000)}ms" if seconds < 1 else f"{round(seconds, 3)}s"


class Late(Wrapper):
    def call(self, client, messages):
        started = time.monotonic()
        answer, status = None, 200
        try:
            answer = client.ask(messages, lambda _: None)
            return answer
        except Exception as error:
            status = getattr(error, "status_code", 504)
            raise
        finally:
            with TRACER.start_as_current_span("llm.request") as span:
                put(span, {"llm.provider": client.provider, "llm.model": client.model, "http.status_code": status,
                           "llm.latency_ms": (time.monotonic() - started) * 1000, "llm.cached": False})
                if answer:
                    put(span, {"llm.tokens_in": answer.input, "llm.tokens_out": answer.output, "llm.cached_tokens": answer.cache_read,
                               "llm.cache_creation_tokens": answer.cache_write, "llm.reasoning_tokens": answer.reasoning,
                               "llm.request_id": answer.id, "llm.finish_reason": answer.finish,
                               "llm.ttft_seconds": answer.first_token and round(answer.first_token, 3)})


class Ai(Wrapper):
    name = "ai.chat_completions.create"

    def session(self, ask):
        with TRACER.start_as_current_span("agent.run") as span:
            put(span, {"ai.agent.name": "helper", "agent.name": "helper"})
            return ask()

    def before(self, span, client, messages):
        put(span, {"ai.model.id": client.model, "ai.model.provider": client.provider, "ai.prompt.length": len(str(messages)),
                   "ai.streaming": STREAM})

    def first(self, span, seconds):
        span.set_attribute("ai.time_to_first_token_ms", seconds * 1000)

    def after(self, span, client, answer, seconds):
        put(span, {"ai.usage.input_tokens": answer.input, "ai.usage.output_tokens": answer.output,
                   "ai.usage.cached_input_tokens": answer.cache_read, "ai.usage.cache_write_tokens": answer.cache_write,
                   "ai.usage.reasoning_tokens": answer.reasoning, "ai.response.model": answer.model, "ai.response.id": answer.id,
                   "ai.response.finish_reason": answer.finish, "ai.duration": seconds, "ai.success": True})

    def failed(self, span, error):
        put(span, {"ai.error": str(error), "ai.error_type": type(error).__name__, "ai.success": False})
        super().failed(span, error)


class Vendor(Wrapper):
    @property
    def name(self):
        return "anthropic.messages.create" if CASE.startswith("anthropic") else "openai.embeddings" if CASE == "embeddings" else "openai.chat"

    def before(self, span, client, messages):
        put(span, {f"{client.provider}.model": client.model, f"{client.provider}.prompt": json.dumps(messages)})

    def after(self, span, client, answer, seconds):
        if client.provider == "openai":
            counts = {"openai.usage.prompt_tokens": answer.input, "openai.usage.completion_tokens": answer.output,
                      "openai.usage.prompt_tokens_details.cached_tokens": answer.cache_read,
                      "openai.usage.completion_tokens_details.reasoning_tokens": answer.reasoning, "openai.finish_reason": answer.finish}
        else:
            counts = {"anthropic.usage.input_tokens": answer.input, "anthropic.usage.output_tokens": answer.output,
                      "anthropic.usage.cache_read_input_tokens": answer.cache_read,
                      "anthropic.usage.cache_creation_input_tokens": answer.cache_write, "anthropic.stop_reason": answer.finish}
        put(span, {f"{client.provider}.response": answer.text, f"{client.provider}.response.id": answer.id,
                   f"{client.provider}.response.model": answer.model, f"{client.provider}.first_token_latency": answer.first_token, **counts})


class Events(Wrapper):
    name = "llm.generate"

    def before(self, span, client, messages):
        put(span, {"llm.provider": client.provider, "llm.model": client.model})
        span.add_event("llm.prompt", {"messages": json.dumps(messages)})

    def first(self, span, seconds):
        span.add_event("llm.first_token", {"ttft_ms": seconds * 1000})

    def after(self, span, client, answer, seconds):
        said = {"model": answer.model, "response_id": answer.id, "input_tokens": answer.input, "output_tokens": answer.output,
                "cache_read_input_tokens": answer.cache_read, "cache_creation_input_tokens": answer.cache_write,
                "stop_reason": answer.finish, "content": answer.text}
        span.add_event("llm.completion", {name: value for name, value in said.items() if value is not None})
        for call in answer.tools:
            span.add_event("llm.tool_use", {"tool.name": call.name, "tool.arguments": call.arguments})


class Camel(Wrapper):
    name = "LlmCall"

    def before(self, span, client, messages):
        put(span, {"llm.providerName": client.provider, "llm.modelName": client.model, "llm.isStreaming": STREAM,
                   "llm.messages": json.dumps(messages), "llm.maxTokens": client.options().get("max_tokens")})

    def first(self, span, seconds):
        span.set_attribute("llm.timeToFirstTokenMs", round(seconds * 1000))

    def after(self, span, client, answer, seconds):
        put(span, {"llm.promptTokens": answer.input, "llm.completionTokens": answer.output, "llm.cacheReadTokens": answer.cache_read,
                   "llm.cacheWriteTokens": answer.cache_write, "llm.reasoningTokens": answer.reasoning, "llm.responseModel": answer.model,
                   "llm.responseId": answer.id, "llm.finishReason": answer.finish, "llm.outputText": answer.text,
                   "llm.durationMs": round(seconds * 1000), "llm.toolCalls": json.dumps([vars(call) for call in answer.tools])})

    def failed(self, span, error):
        put(span, {"llm.errorMessage": str(error), "llm.errorType": type(error).__name__})
        super().failed(span, error)


WORDS = {"flat": Flat, "parts": Parts, "late": Late, "ai": Ai, "vendor": Vendor, "events": Events, "camel": Camel}
