"""An agent of OpenAI's Agents SDK."""
from agents import Agent, Runner, function_tool, set_default_openai_client
from openai import AsyncOpenAI

from . import weather
from .case import CASE, QUESTION, SCENARIO, STREAM, TOOLS
from .openai_calls import MODEL


async def ask():
    set_default_openai_client(AsyncOpenAI(max_retries=0), use_for_tracing=False)
    tools = [function_tool(function) for function in weather.FUNCTIONS.values()] if TOOLS else []
    agent = Agent(name="weather_agent", instructions="You are helpful", model=MODEL, tools=tools)
    for _ in range(2 if SCENARIO == "cache" else 1):
        if STREAM:
            async for _ in Runner.run_streamed(agent, QUESTION).stream_events():
                pass
        else:
            await Runner.run(agent, QUESTION)
    if CASE.startswith("handoff"):
        await Runner.run(Agent(name="summary_agent", instructions="Summarise", model=MODEL), "Summarise the weather")
