from driver import case, openai_calls, telemetry
from openinference.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
OpenAIInstrumentor().instrument()
case.run(openai_calls.ask)
