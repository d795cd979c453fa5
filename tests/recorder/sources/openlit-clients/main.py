import importlib

import openlit
from driver import case

openlit.init(service_name="chat-api", environment="corpus", disable_metrics=True, pricing_json="pricing.json")
case.run(importlib.import_module(f"driver.{case.CASE.split('_')[0]}_calls").ask)
