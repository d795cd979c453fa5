from driver import case, telemetry

provider = telemetry.start()

from cls_agent_observability import CLSConfig, setup  # noqa: E402
from driver import openai_agents_calls  # noqa: E402

setup(CLSConfig(endpoint="127.0.0.1:9", topic_id="test", secret_id="test", secret_key="test", service_name="chat-api"), provider=provider)
case.run(openai_agents_calls.ask)
