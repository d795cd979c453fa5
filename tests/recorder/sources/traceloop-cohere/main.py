from driver import case, cohere_calls, telemetry
from opentelemetry.instrumentation.cohere import CohereInstrumentor

telemetry.start()
CohereInstrumentor().instrument()
case.run(cohere_calls.ask)
