import os

import acceldata_aio_tracer
from driver import case

acceldata_aio_tracer.init(service="chat-api", tenant_id="tenant-1", project_id="chat", access_key="test", secret_key="test", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
