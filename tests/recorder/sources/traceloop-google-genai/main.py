from driver import case, google_calls, telemetry
from opentelemetry.instrumentation.google_generativeai import GoogleGenerativeAiInstrumentor

telemetry.start()
GoogleGenerativeAiInstrumentor().instrument()
case.run(google_calls.ask)
