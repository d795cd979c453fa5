import os

os.environ |= {"WHYLABS_API_KEY": "test", "WHYLABS_ENDPOINT": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]}

import openllmtelemetry  # noqa: E402
from driver import case  # noqa: E402

openllmtelemetry.instrument(application_name="chat-api", dataset_id="model-1")

def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
