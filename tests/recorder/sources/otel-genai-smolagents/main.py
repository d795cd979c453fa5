from driver import case, smolagents_calls, telemetry
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.instrumentation.genai.smolagents import SmolagentsInstrumentor

telemetry.start()
SmolagentsInstrumentor().instrument()
OpenAIInstrumentor().instrument()    # the framework's own has no spans of the calls
case.run(smolagents_calls.ask)
