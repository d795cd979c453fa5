from agno.agent import Agent
from agno.models.openai import OpenAIChat
from driver import case, telemetry, weather
from driver.case import QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from opentelemetry.instrumentation.agno import AgnoInstrumentor

telemetry.start()
AgnoInstrumentor().instrument()


def ask():
    tools = list(weather.FUNCTIONS.values()) if TOOLS else None
    agent = Agent(name="weather_agent", model=OpenAIChat(id=MODEL, max_retries=0), tools=tools, instructions="You are helpful", telemetry=False)
    for _ in range(2 if SCENARIO == "cache" else 1):
        answer = agent.run(QUESTION, stream=STREAM)
        if STREAM:
            for _ in answer:
                pass
        elif answer.status == "ERROR":    # agno tells of a failed call in its answer
            raise RuntimeError(answer.content)


case.run(ask)
