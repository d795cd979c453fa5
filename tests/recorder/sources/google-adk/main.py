from driver import adk_calls, case, telemetry
from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

telemetry.start()
GoogleGenAiSdkInstrumentor().instrument()
case.run(adk_calls.ask)
