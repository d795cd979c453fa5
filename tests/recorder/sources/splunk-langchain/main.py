from driver import case, telemetry
from opentelemetry.instrumentation.langchain import LangchainInstrumentor

telemetry.start()
LangchainInstrumentor().instrument()

from driver import langchain_calls  # noqa: E402

case.run(langchain_calls.ask)
