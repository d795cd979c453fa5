from agent_framework import Agent
from agent_framework.observability import enable_instrumentation, enable_sensitive_telemetry
from agent_framework.openai import OpenAIChatClient
from driver import case, telemetry, weather
from driver.case import QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from openai import AsyncOpenAI

telemetry.start()
enable_instrumentation()
enable_sensitive_telemetry()


async def ask():
    client = OpenAIChatClient(model=MODEL, async_client=AsyncOpenAI(max_retries=0))
    tools = list(weather.FUNCTIONS.values()) if TOOLS else None
    agent = Agent(client=client, name="weather_agent", instructions="You are helpful", tools=tools)
    for question in [QUESTION] * (2 if SCENARIO == "cache" else 1):
        if STREAM:
            async for _ in agent.run(question, stream=True):
                pass
        else:
            await agent.run(question)


case.run(ask)
