from driver import case, google_calls, telemetry
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor

telemetry.start()
GoogleGenAIInstrumentor().instrument()
case.run(google_calls.ask)
