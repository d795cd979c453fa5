from driver import case, google_calls, telemetry
from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

telemetry.start()
GoogleGenAiSdkInstrumentor().instrument()
case.run(google_calls.ask)
