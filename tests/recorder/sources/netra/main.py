from driver import case
from netra import Netra
from netra.instrumentation.instruments import InstrumentSet

Netra.init(app_name="chat-api", environment="corpus", instruments={InstrumentSet.OPENAI, InstrumentSet.ANTHROPIC})
Netra.set_session_id("sess-7")
Netra.set_user_id("user-42")


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(ask)
Netra.shutdown()
