from driver import case, telemetry

telemetry.start()

import anthropic  # noqa: E402, F401
import openai  # noqa: E402, F401
from agent_ops_sdk.instrument import auto_instrument  # noqa: E402

auto_instrument.configure_content_capture(capture=True)
auto_instrument.patch_all()


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
