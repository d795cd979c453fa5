from ag2 import Agent
from ag2.config import AnthropicConfig, OpenAIConfig
from ag2.middleware.builtin.telemetry import TelemetryMiddleware
from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL

middleware = TelemetryMiddleware(tracer_provider=telemetry.start(), agent_name="weather_agent")


def config():
    if CASE.startswith("anthropic"):
        return AnthropicConfig(model="claude-sonnet-4-5", max_retries=0, streaming=STREAM)
    return OpenAIConfig(model=MODEL, max_retries=0, streaming=STREAM)


async def ask():
    agent = Agent("weather_agent", "You are helpful", config=config(), tools=list(weather.FUNCTIONS.values()) if TOOLS else [], middleware=[middleware])
    for _ in range(2 if SCENARIO == "cache" else 1):
        await agent.ask(QUESTION)


case.run(ask)
