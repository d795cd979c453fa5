import os

import agentq
from driver import case, openai_calls, telemetry

agentq.init(endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], service_name="chat-api")
agentq.instrument()


@agentq.agent(name="weather_agent")
class Weather:
    def execute(self):
        return openai_calls.ask()


case.run(Weather().execute)
telemetry.flush()
