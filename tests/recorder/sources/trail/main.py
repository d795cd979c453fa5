from driver import case, telemetry

telemetry.start()

import anthropic  # noqa: E402, F401
import openai  # noqa: E402, F401
import trail  # noqa: E402

trail.auto_instrument()


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


def run():
    with trail.session(agent_id="chat-api", conversation_id="sess-7"):
        return ask()


case.run(run)
