from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, STREAM, TOOLS
from driver.openai_calls import MODEL
from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor

telemetry.start()
AutogenAgentChatInstrumentor().instrument()


def agent(name):
    client = OpenAIChatCompletionClient(model=MODEL, api_key="sk-test", max_retries=0)
    tools = list(weather.FUNCTIONS.values()) if TOOLS else None
    return AssistantAgent(name, client, tools=tools, system_message="You are helpful", max_tool_iterations=6, model_client_stream=STREAM)


async def ask():
    if CASE.startswith("team"):
        team = RoundRobinGroupChat([agent("weather_agent"), agent("summary_agent")], termination_condition=MaxMessageTermination(3))
        return await team.run(task=QUESTION)
    if STREAM:
        async for _ in agent("weather_agent").run_stream(task=QUESTION):
            pass
    else:
        await agent("weather_agent").run(task=QUESTION)


case.run(ask)
