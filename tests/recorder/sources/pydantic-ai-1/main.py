from driver import case, telemetry, weather
from driver.case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from pydantic_ai import Agent, ModelSettings
from pydantic_ai.models.instrumented import InstrumentationSettings

telemetry.start()
settings = InstrumentationSettings(version=1, event_mode="attributes")
Agent.instrument_all(settings)


def model():
    if CASE.startswith("anthropic"):
        return "anthropic:claude-sonnet-4-5"
    return f"openai-{'responses' if CASE.startswith('responses') else 'chat'}:{MODEL}"


async def ask():
    tools = list(weather.FUNCTIONS.values()) if TOOLS else []
    agent = Agent(model(), name="weather_agent", system_prompt="You are helpful", tools=tools, model_settings=ModelSettings(max_tokens=2048))
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        if STREAM:
            async with agent.run_stream(question) as result:
                async for _ in result.stream_text():
                    pass
        else:
            await agent.run(question)


case.run(ask)
