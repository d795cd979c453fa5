from driver import case, telemetry, weather
from driver.case import QUESTION, SCENARIO, TOOLS

telemetry.start()

from any_agent import AgentConfig, AnyAgent  # noqa: E402


async def ask():
    tools = list(weather.FUNCTIONS.values()) if TOOLS else []
    agent = await AnyAgent.create_async("tinyagent", AgentConfig(model_id="openai:gpt-4o", name="weather_agent", instructions="You are helpful", tools=tools))
    for _ in range(2 if SCENARIO == "cache" else 1):
        await agent.run_async(QUESTION)


case.run(ask)
