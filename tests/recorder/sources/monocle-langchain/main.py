from monocle_apptrace import setup_monocle_telemetry
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

processor = BatchSpanProcessor(OTLPSpanExporter())
setup_monocle_telemetry(workflow_name="chat-api", span_processors=[processor])

from driver import case, langchain_calls  # noqa: E402

case.run(langchain_calls.ask)
processor.force_flush()
