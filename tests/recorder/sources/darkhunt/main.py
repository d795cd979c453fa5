"""Generations of Darkhunt's SDK, each opened around a call as its guide shows."""
import json
import os
import time

from darkhunt_telemetry import DarkhuntTelemetry

from driver import weather
from driver.case import CASE, TOOLS, run
from driver.wrapped_calls import Anthropic, Embeddings, OpenAI

client = DarkhuntTelemetry(internal=True, base_url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], tenant_id="tenant-1", workspace_id="ws-1",
                           application_id="chat", service_name="chat-api")


def ask():
    if CASE == "embeddings":
        with client.trace("embed") as trace:
            call(trace, Embeddings(), [{"role": "user", "content": "a text"}])
        return
    one = Anthropic() if CASE.startswith("anthropic") else OpenAI()
    for question in one.questions():
        with client.trace("chat", session_id="session-1", user_id="user-1") as trace:
            talk(trace, one, question)


def talk(trace, one, question):
    messages = one.opening(question)
    while True:
        answer = call(trace, one, messages)
        if not answer.tools or not TOOLS:
            return
        results = []
        for tool in answer.tools:
            with trace.start_active_span(tool.name, observation_type="tool", input=tool.arguments) as span:
                results.append((tool, weather.call(tool.name, json.loads(tool.arguments))))
                span.update(output=results[-1][1])
        messages += one.continued(answer, results)


def call(trace, one, messages):
    with trace.start_active_generation("answer", model=one.model) as generation:
        generation.update(input_messages=messages)
        answer = one.ask(messages, lambda _: generation.update(completion_start_time=time.time()))
        counts = {"input_tokens": answer.input, "output_tokens": answer.output, "cache_read_tokens": answer.cache_read,
                  "cache_creation_tokens": answer.cache_write}
        generation.update(output_messages=[{"role": "assistant", "content": answer.text}],
                          usage={name: count for name, count in counts.items() if count is not None})
        return answer


run(ask)
client.flush()
