import os

from driver import case, openai_calls
from respan import Respan, workflow
from respan_instrumentation_openai import OpenAIInstrumentor

respan = Respan(api_key="test", base_url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], app_name="chat-api", environment="corpus",
                customer_identifier="user-42", thread_identifier="sess-7", instrumentations=[OpenAIInstrumentor()])


@workflow(name="answer")
def answer():
    return openai_calls.ask()


case.run(answer)
respan.flush()
