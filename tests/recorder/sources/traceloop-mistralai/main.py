from driver import case, mistral_calls, telemetry
from opentelemetry.instrumentation.mistralai import MistralAiInstrumentor

telemetry.start()
MistralAiInstrumentor().instrument()
case.run(mistral_calls.ask)
