from driver import case, haystack_calls, telemetry
from opentelemetry.instrumentation.haystack import HaystackInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
HaystackInstrumentor().instrument()
OpenAIInstrumentor().instrument()
case.run(haystack_calls.ask)
