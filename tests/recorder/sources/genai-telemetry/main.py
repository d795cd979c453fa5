import os

from driver import case
from genai_telemetry import auto_instrument, setup_telemetry

setup_telemetry(workflow_name="chat-api", service_name="chat-api", exporter="otlp", otlp_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
auto_instrument()


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
