import os

from driver import case
from paid.tracing import initialize_tracing, paid_tracing
from paid.tracing.wrappers.anthropic import PaidAnthropic
from paid.tracing.wrappers.openai import PaidOpenAI

initialize_tracing(api_key="test", collector_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces")


@paid_tracing("customer-42", external_product_id="chat-api")
def ask():
    if case.CASE.startswith("anthropic"):
        import anthropic
        from driver import anthropic_calls
        return anthropic_calls.ask(make=lambda **options: PaidAnthropic(anthropic.Anthropic(**options)))
    from driver import openai_calls
    made = openai_calls.client
    openai_calls.client = lambda **options: PaidOpenAI(made(**options))
    return openai_calls.ask()


case.run(ask)
