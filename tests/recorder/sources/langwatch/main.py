import os

import langwatch
from driver import case
from driver.case import CASE
from openinference.instrumentation.openai import OpenAIInstrumentor

WITH_LANGCHAIN = CASE.startswith("langchain")
langwatch.setup(api_key="test", endpoint_url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"],
                instrumentors=[] if WITH_LANGCHAIN else [OpenAIInstrumentor()])


@langwatch.trace(name="answer")
def answer():
    if WITH_LANGCHAIN:
        from driver import langchain_calls
        return langchain_calls.ask({"callbacks": [langwatch.get_current_trace().get_langchain_callback()]})
    from driver import openai_calls
    return openai_calls.ask()


case.run(answer)
