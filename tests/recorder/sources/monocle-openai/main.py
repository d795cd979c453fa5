from driver import case
from monocle_apptrace import setup_monocle_telemetry
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

processor = BatchSpanProcessor(OTLPSpanExporter())
setup_monocle_telemetry(workflow_name="chat-api", span_processors=[processor])


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
processor.force_flush()
