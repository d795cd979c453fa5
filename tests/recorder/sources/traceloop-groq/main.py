from driver import case, groq_calls, telemetry
from opentelemetry.instrumentation.groq import GroqInstrumentor

telemetry.start()
GroqInstrumentor().instrument()
case.run(groq_calls.ask)
