import openlit
from driver import case

openlit.init(service_name="chat-api", environment="corpus", disable_metrics=True, pricing_json="pricing.json")

from driver import google_calls  # noqa: E402

case.run(google_calls.ask)
