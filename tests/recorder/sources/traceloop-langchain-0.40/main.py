from driver import case, telemetry
from opentelemetry.instrumentation.langchain import LangchainInstrumentor

telemetry.start()
LangchainInstrumentor().instrument()

import old_calls  # noqa: E402

case.run(old_calls.ask)
