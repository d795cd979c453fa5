import os

import neatlogs
from driver import case

neatlogs.init(api_key="test", endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], workflow_name="chat-api", instrumentations=["openai", "anthropic"])


@neatlogs.span(kind="WORKFLOW", name="answer")
def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
neatlogs.flush()
neatlogs.shutdown()
