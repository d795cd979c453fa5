from driver import case, ollama_calls, telemetry
from openinference.instrumentation.ollama import OllamaInstrumentor

telemetry.start()
OllamaInstrumentor().instrument()
case.run(ollama_calls.ask)
