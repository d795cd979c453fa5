from driver import case, ollama_calls, telemetry
from opentelemetry.instrumentation.ollama import OllamaInstrumentor

telemetry.start()
OllamaInstrumentor().instrument()
case.run(ollama_calls.ask)
