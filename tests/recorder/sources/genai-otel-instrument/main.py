import os

from driver import case
import genai_otel

genai_otel.instrument(service_name="chat-api", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], enable_gpu_metrics=False, enable_co2_tracking=False,
                      enable_content_capture=True, enabled_instrumentors=["openai", "anthropic"])


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
