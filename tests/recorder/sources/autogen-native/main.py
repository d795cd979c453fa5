from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from driver import case, telemetry, weather
from driver.case import QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

telemetry.start()
OpenAIInstrumentor().instrument()


async def ask():
    client = OpenAIChatCompletionClient(model=MODEL, max_retries=0, **({"include_usage": True} if STREAM else {}))
    tools = list(weather.FUNCTIONS.values()) if TOOLS else []
    agent = AssistantAgent("weather_agent", client, tools=tools, system_message="You are helpful", max_tool_iterations=6, model_client_stream=STREAM)
    for _ in range(2 if SCENARIO == "cache" else 1):
        async for _ in agent.run_stream(task=QUESTION):
            pass


case.run(ask)
