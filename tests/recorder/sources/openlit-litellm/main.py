import openlit
from driver import case

openlit.init(service_name="chat-api", environment="corpus", disable_metrics=True, pricing_json="pricing.json")

from driver import litellm_calls  # noqa: E402

case.run(litellm_calls.ask)
