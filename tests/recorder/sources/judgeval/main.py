from driver import case
from judgeval import Tracer
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

tracer = Tracer.init(environment="corpus", span_processors=[BatchSpanProcessor(OTLPSpanExporter())])


@Tracer.observe(span_type="function")
def answer():
    if case.CASE.startswith("anthropic"):
        import anthropic
        from driver import anthropic_calls
        return anthropic_calls.ask(make=lambda **options: Tracer.wrap(anthropic.Anthropic(**options)))
    from driver import openai_calls
    made = openai_calls.client
    openai_calls.client = lambda **options: Tracer.wrap(made(**options))
    return openai_calls.ask()


case.run(answer)
tracer.force_flush()
