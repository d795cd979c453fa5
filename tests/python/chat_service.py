#!/usr/bin/env python3
"""An application that wraps its model calls in spans by hand, the way many articles show it, with the real SDKs.

    chat_service.py PROVIDER_URL SCENARIO...    one call a scenario, all at the same time

Where spans go is up to the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_SERVICE_NAME).
The SDK traces its own calls as well, so every call here yields two spans: the wrapper and, below it, the SDK's own.
"""
import concurrent.futures
import os
import sys
import time

import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

MODEL = "claude-opus-4-7"
QUESTION = [{"role": "user", "content": "What is the capital of Portugal?"}]

tracer = trace.get_tracer("chat-service.llm")


def exporter():
    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        return OTLPSpanExporter(insecure=True)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def describe_request(span, max_tokens):
    span.set_attribute("gen_ai.system", "anthropic")
    span.set_attribute("gen_ai.request.model", MODEL)
    span.set_attribute("gen_ai.request.max_tokens", max_tokens)


def describe_answer(span, message, began):
    span.set_attribute("gen_ai.response.model", message.model)
    span.set_attribute("gen_ai.response.stop_reason", message.stop_reason)
    span.set_attribute("gen_ai.usage.input_tokens", message.usage.input_tokens)
    span.set_attribute("gen_ai.usage.output_tokens", message.usage.output_tokens)
    span.set_attribute("gen_ai.latency_ms", int((time.perf_counter() - began) * 1000))
    tools = [block.name for block in message.content if block.type == "tool_use"]
    if tools:
        span.set_attribute("gen_ai.response.tool_calls.count", len(tools))
        span.set_attribute("gen_ai.response.tool_calls.names", tools)


def ask(client, scenario):
    with tracer.start_as_current_span("anthropic.messages.create") as span:
        describe_request(span, 1024)
        began = time.perf_counter()
        try:
            message = client.messages.create(
                model=MODEL, max_tokens=1024, messages=QUESTION, extra_headers={"x-scenario": scenario})
        except anthropic.APIError as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise
        describe_answer(span, message, began)
        return message


def ask_streaming(client, scenario):
    with tracer.start_as_current_span("anthropic.messages.stream") as span:
        describe_request(span, 1024)
        began = time.perf_counter()
        first = None
        try:
            with client.messages.stream(
                    model=MODEL, max_tokens=1024, messages=QUESTION, extra_headers={"x-scenario": scenario}) as stream:
                for _ in stream.text_stream:
                    first = first or time.perf_counter()
                message = stream.get_final_message()
        except anthropic.APIError as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            raise
        if first is not None:
            span.set_attribute("gen_ai.time_to_first_token_ms", int((first - began) * 1000))
        describe_answer(span, message, began)
        return message


def call(client, scenario):
    """One call; a failure that the provider announces is part of the script and ends only this call."""
    try:
        (ask_streaming if scenario.startswith("stream") else ask)(client, scenario)
    except anthropic.APIError as error:
        print(f"{scenario}: {type(error).__name__}")


def main():
    url, scenarios = sys.argv[1], sys.argv[2:]
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter(), schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    client = anthropic.Anthropic(api_key="none-needed", base_url=url, max_retries=0)
    with concurrent.futures.ThreadPoolExecutor(len(scenarios)) as pool:
        for done in [pool.submit(call, client, scenario) for scenario in scenarios]:
            done.result()
    provider.shutdown()


if __name__ == "__main__":
    main()
