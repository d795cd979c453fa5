import lilypad
from driver import case
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry import trace

lilypad.configure(api_key="test", project_id="5a1e4f3c-5b0e-4a58-9d6f-2a8f5f0f9a11", auto_llm=True)
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


@lilypad.trace()
def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
