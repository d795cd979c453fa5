import os

os.environ |= {"BROKLE_API_KEY": "bk_" + "0" * 40, "BROKLE_BASE_URL": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]}

import anthropic  # noqa: E402
from brokle import get_client  # noqa: E402
from brokle.wrappers import wrap_anthropic, wrap_openai  # noqa: E402
from driver import case  # noqa: E402


def ask():
    if case.CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask(make=lambda **options: wrap_anthropic(anthropic.Anthropic(**options)))
    from driver import openai_calls
    made = openai_calls.client
    openai_calls.client = lambda **options: wrap_openai(made(**options))
    return openai_calls.ask()


case.run(ask)
get_client().flush()
