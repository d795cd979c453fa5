from azure.ai.projects.telemetry import AIProjectInstrumentor
from azure.core.settings import settings
from driver import case, openai_calls, telemetry

telemetry.start()
settings.tracing_implementation = "opentelemetry"
AIProjectInstrumentor().instrument()
# The client that AIProjectClient.get_openai_client() makes, but for its credential.
case.run(lambda: openai_calls.ask(base_url="https://chat.services.ai.azure.com/openai/v1"))
