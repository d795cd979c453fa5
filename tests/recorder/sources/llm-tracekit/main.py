from driver import case, openai_calls, telemetry
from llm_tracekit.openai import OpenAIInstrumentor, enable_capture_content

telemetry.start()
enable_capture_content()
OpenAIInstrumentor().instrument()
case.run(openai_calls.ask)
