import os

import agentops
from driver import case

# What would say who records, and end the session with figures of the machine.
agentops.init(api_key="00000000-0000-4000-8000-000000000000", env_data_opt_out=True, log_session_replay_url=False, fail_safe=True,
              exporter_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces", trace_name="answer")


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
agentops.end_trace()
