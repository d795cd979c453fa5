import os

from driver import case, weather
from driver.case import CASE, QUESTION, SCENARIO, TOOLS
from mcp_agent.agents.agent import Agent
from mcp_agent.app import MCPApp
from mcp_agent.config import AnthropicSettings, LoggerSettings, OpenAISettings, OpenTelemetrySettings, Settings

ENDPOINT = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
SETTINGS = Settings(
    execution_engine="asyncio", logger=LoggerSettings(transports=["none"]),
    openai=OpenAISettings(api_key="sk-test", default_model="gpt-4o"),
    anthropic=AnthropicSettings(api_key="sk-test", default_model="claude-sonnet-4-5"),
    otel=OpenTelemetrySettings(enabled=True, exporters=[{"otlp": {"endpoint": ENDPOINT}}], service_name="chat-api"))


def kind():
    if CASE.startswith("anthropic"):
        from mcp_agent.workflows.llm.augmented_llm_anthropic import AnthropicAugmentedLLM
        return AnthropicAugmentedLLM
    from mcp_agent.workflows.llm.augmented_llm_openai import OpenAIAugmentedLLM
    return OpenAIAugmentedLLM


async def ask():
    app = MCPApp(name="chat", settings=SETTINGS)
    async with app.run():
        agent = Agent(name="weather_agent", instruction="You are helpful", functions=list(weather.FUNCTIONS.values()) if TOOLS else [])
        async with agent:
            llm = await agent.attach_llm(kind())
            for _ in range(2 if SCENARIO == "cache" else 1):
                await llm.generate_str(QUESTION)


case.run(ask)
