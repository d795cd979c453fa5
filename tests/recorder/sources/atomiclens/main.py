import os

import atomiclens
from driver import case

atomiclens.init(service_name="chat-api", otlp_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], capture_content=case.SETTING == "content")


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
