from driver import case, telemetry
from opentelemetry.instrumentation.litellm import LiteLLMInstrumentor

telemetry.start()
LiteLLMInstrumentor().instrument()

from driver import litellm_calls  # noqa: E402

case.run(litellm_calls.ask)
