"""Traces as a service sends them: batched, over OTLP/HTTP, under the name `chat-api`."""
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

RESOURCE = Resource.create({"service.name": "chat-api", "service.version": "1.4.2", "deployment.environment.name": "corpus"})


def start(*processors):
    """Makes the global tracer provider; `processors` run before the export."""
    provider = TracerProvider(resource=RESOURCE)
    for processor in processors:
        provider.add_span_processor(processor)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def flush():
    provider = trace.get_tracer_provider()
    if hasattr(provider, "force_flush"):
        provider.force_flush()
