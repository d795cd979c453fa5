from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, TOOLS
from driver.openai_calls import MODEL
from opentelemetry.instrumentation.crewai import CrewAIInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
CrewAIInstrumentor().instrument()
OpenAIInstrumentor().instrument()


def agent(role):
    tools = [tool(function.__name__)(function) for function in weather.FUNCTIONS.values()] if TOOLS else []
    return Agent(role=role, goal="answer questions", backstory="You are helpful", llm=LLM(model=f"openai/{MODEL}", temperature=0.2), tools=tools)


def ask():
    agents = [agent("weather agent")] + ([agent("summary agent")] if CASE.startswith("crew") else [])
    tasks = [Task(description=QUESTION, expected_output="a sentence", agent=one) for one in agents]
    Crew(agents=agents, tasks=tasks).kickoff()


case.run(ask)
