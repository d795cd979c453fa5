from driver import adk_calls, case, telemetry
from openinference.instrumentation.google_adk import GoogleADKInstrumentor

telemetry.start()
GoogleADKInstrumentor().instrument()
case.run(adk_calls.ask)
