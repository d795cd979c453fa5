from driver import case, groq_calls, telemetry
from openinference.instrumentation.groq import GroqInstrumentor

telemetry.start()
GroqInstrumentor().instrument()
case.run(groq_calls.ask)
