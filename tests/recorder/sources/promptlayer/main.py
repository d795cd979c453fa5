import os

from driver import case
from promptlayer import PromptLayer

os.environ["PROMPTLAYER_OTLP_TRACES_ENDPOINT"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
layer = PromptLayer(api_key="test", enable_tracing=True)


@layer.traceable(attributes={"service": "chat-api"})
def answer():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask(make=layer.anthropic.Anthropic)
    from driver import openai_calls
    import openai
    openai.OpenAI = layer.openai.OpenAI
    return openai_calls.ask()


case.run(answer)
