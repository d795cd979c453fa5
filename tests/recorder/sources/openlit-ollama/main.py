import openlit
from driver import case

openlit.init(service_name="chat-api", environment="corpus", disable_metrics=True, pricing_json="pricing.json")

from driver import ollama_calls  # noqa: E402

case.run(ollama_calls.ask)
