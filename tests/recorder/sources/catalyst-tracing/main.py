from catalyst_tracing import setup
from driver import case
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# Its own exporter writes ids in a form that OTLP's JSON does not have; nobody listens there.
tracing = setup(endpoint="http://127.0.0.1:9", token="test", service_name="chat-api", environment="corpus")
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
