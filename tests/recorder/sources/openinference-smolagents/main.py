from driver import case, smolagents_calls, telemetry
from openinference.instrumentation.smolagents import SmolagentsInstrumentor

telemetry.start()
SmolagentsInstrumentor().instrument()
case.run(smolagents_calls.ask)
