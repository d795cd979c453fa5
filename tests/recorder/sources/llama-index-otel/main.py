from driver import case, telemetry
from llama_index.observability.otel import LlamaIndexOpenTelemetry
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

LlamaIndexOpenTelemetry(span_exporter=OTLPSpanExporter(), service_name_or_resource=telemetry.RESOURCE).start_registering()

from driver import llama_index_calls  # noqa: E402

case.run(llama_index_calls.ask)
