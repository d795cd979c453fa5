import openlit
from driver import case

openlit.init(application_name="chat-api", environment="corpus", disable_metrics=True, pricing_json="pricing.json")

from driver import openai_calls  # noqa: E402

case.run(openai_calls.ask)
