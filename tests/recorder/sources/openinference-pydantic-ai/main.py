from driver import case, telemetry, weather
from driver.case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from openinference.instrumentation.pydantic_ai import OpenInferenceSpanProcessor
from pydantic_ai import Agent

telemetry.start(OpenInferenceSpanProcessor())


async def ask():
    model = "anthropic:claude-sonnet-4-5" if CASE.startswith("anthropic") else f"openai:{MODEL}"
    tools = list(weather.FUNCTIONS.values()) if TOOLS else []
    agent = Agent(model, name="weather_agent", system_prompt="You are helpful", tools=tools, instrument=True)
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        if STREAM:
            async with agent.run_stream(question) as result:
                async for _ in result.stream_text():
                    pass
        else:
            await agent.run(question)


case.run(ask)
