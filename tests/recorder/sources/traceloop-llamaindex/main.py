from driver import case, telemetry
from driver.case import SETTING
from opentelemetry.instrumentation.llamaindex import LlamaIndexInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
LlamaIndexInstrumentor().instrument()
if SETTING == "with-client":
    OpenAIInstrumentor().instrument()

from driver import llama_index_calls  # noqa: E402

case.run(llama_index_calls.ask)
