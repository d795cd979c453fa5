from driver import case, telemetry
from opentelemetry.instrumentation.genai.llama_index import LlamaIndexInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

telemetry.start()
LlamaIndexInstrumentor().instrument()
OpenAIInstrumentor().instrument()    # the framework's own has no spans of the calls

from driver import llama_index_calls  # noqa: E402

case.run(llama_index_calls.ask)
