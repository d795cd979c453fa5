import os

import telemetry_dev
from driver import case
from telemetry_dev_anthropic import wrap_anthropic
from telemetry_dev_openai import wrap_openai

telemetry_dev.init(api_key="test", base_url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], service_name="chat-api")


def ask():
    if case.CASE.startswith("anthropic"):
        import anthropic
        from driver import anthropic_calls
        return anthropic_calls.ask(make=lambda **options: wrap_anthropic(anthropic.Anthropic(**options)))
    from driver import openai_calls
    made = openai_calls.client
    openai_calls.client = lambda **options: wrap_openai(made(**options))
    return openai_calls.ask()


case.run(ask)
telemetry_dev.flush()
