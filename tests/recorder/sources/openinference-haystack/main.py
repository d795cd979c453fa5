from driver import case, haystack_calls, telemetry
from openinference.instrumentation.haystack import HaystackInstrumentor

telemetry.start()
HaystackInstrumentor().instrument()
case.run(haystack_calls.ask)
