import os

os.environ |= {"ENABLE_A365_OBSERVABILITY": "true", "ENABLE_OBSERVABILITY": "true", "ENABLE_OTLP_EXPORTER": "true"}

from driver import case, openai_agents_calls  # noqa: E402
from microsoft_agents_a365.observability.core.config import configure, get_tracer_provider  # noqa: E402
from microsoft_agents_a365.observability.extensions.openai import OpenAIAgentsTraceInstrumentor  # noqa: E402

configure(service_name="chat-api", service_namespace="corpus")
OpenAIAgentsTraceInstrumentor().instrument()
case.run(openai_agents_calls.ask)
get_tracer_provider().force_flush()
