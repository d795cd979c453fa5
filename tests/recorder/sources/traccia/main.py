import os

import traccia
from driver import case

traccia.init(endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces", service_name="chat-api", enable_metrics=False, auto_start_trace=False)


@traccia.observe()
def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
traccia.stop_tracing()
