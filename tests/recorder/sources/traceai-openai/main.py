from driver import case, openai_calls, telemetry
from traceai_openai import OpenAIInstrumentor

OpenAIInstrumentor().instrument(tracer_provider=telemetry.start())
case.run(openai_calls.ask)
