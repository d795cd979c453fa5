import os

os.environ |= {"AGENTA_HOST": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], "AGENTA_API_KEY": "test"}

import agenta as ag  # noqa: E402
import litellm  # noqa: E402
from driver import case, litellm_calls  # noqa: E402

ag.init()
litellm.callbacks = [ag.callbacks.litellm_handler()]


@ag.instrument(type="workflow")
def answer():
    return litellm_calls.ask()


case.run(answer)
