import os

from driver import case
from scorecard_ai.lib import wrap

SETTINGS = {"api_key": "test", "project_id": "314", "service_name": "chat-api", "endpoint": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"}


def ask():
    if case.CASE.startswith("anthropic"):
        import anthropic
        from driver import anthropic_calls
        return anthropic_calls.ask(make=lambda **options: wrap(anthropic.Anthropic(**options), SETTINGS))
    from driver import openai_calls
    made = openai_calls.client
    openai_calls.client = lambda **options: wrap(made(**options), SETTINGS)
    return openai_calls.ask()


case.run(ask)
