import os

from driver import case
from splyntra import Splyntra

Splyntra(api_key="test", project="chat", service_name="chat-api", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], instrument=("openai", "anthropic"))


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
