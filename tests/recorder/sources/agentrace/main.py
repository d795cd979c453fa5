import agentrace
from agentrace.integrations import anthropic_patch, openai_patch
from driver import case, telemetry

agentrace.init(service_name="chat-api", provider=telemetry.start())
openai_patch.instrument()
anthropic_patch.instrument()


@agentrace.trace_agent(name="helper")
def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
