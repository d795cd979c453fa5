from driver import case, openai_agents_calls, telemetry
from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor

telemetry.start()
OpenAIAgentsInstrumentor().instrument()
case.run(openai_agents_calls.ask)
