from driver import case, mistral_calls, telemetry
from openinference.instrumentation.mistralai import MistralAIInstrumentor

telemetry.start()
MistralAIInstrumentor().instrument()
case.run(mistral_calls.ask)
