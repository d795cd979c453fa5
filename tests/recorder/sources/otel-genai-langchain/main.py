from driver import case, langchain_calls, telemetry
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

telemetry.start()
LangChainInstrumentor().instrument()
case.run(langchain_calls.ask)
