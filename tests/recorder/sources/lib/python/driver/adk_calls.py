"""An agent of Google's ADK."""
from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.genai import types

from . import weather
from .case import QUESTION, SCENARIO, STREAM, TOOLS


async def ask():
    tools = list(weather.FUNCTIONS.values()) if TOOLS else []
    agent = Agent(name="weather_agent", model="gemini-2.5-flash", instruction="You are helpful", tools=tools)
    runner = InMemoryRunner(agent, app_name="chat")
    config = RunConfig(streaming_mode=StreamingMode.SSE if STREAM else StreamingMode.NONE)
    for _ in range(2 if SCENARIO == "cache" else 1):
        session = await runner.session_service.create_session(app_name="chat", user_id="u1")
        message = types.Content(role="user", parts=[types.Part(text=QUESTION)])
        async for _ in runner.run_async(user_id="u1", session_id=session.id, new_message=message, run_config=config):
            pass
