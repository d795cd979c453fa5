from driver import case, langchain_calls, telemetry
from traceai_langchain import LangChainInstrumentor

LangChainInstrumentor().instrument(tracer_provider=telemetry.start())
case.run(langchain_calls.ask)
