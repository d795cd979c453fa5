from driver import case, telemetry, weather
from driver.case import QUESTION, SCENARIO, TOOLS
from driver.openai_calls import MODEL
from openinference.instrumentation.beeai import BeeAIInstrumentor

telemetry.start()
BeeAIInstrumentor().instrument()

from beeai_framework.agents.requirement import RequirementAgent  # noqa: E402
from beeai_framework.backend import ChatModel, SystemMessage, UserMessage  # noqa: E402
from beeai_framework.tools import tool  # noqa: E402


async def ask():
    model = ChatModel.from_name(f"openai:{MODEL}")
    if TOOLS:
        tools = [tool(function) for function in weather.FUNCTIONS.values()]
        return await RequirementAgent(llm=model, tools=tools, name="weather_agent", instructions="You are helpful").run(QUESTION)
    for _ in range(2 if SCENARIO == "cache" else 1):
        await model.run([SystemMessage("You are helpful"), UserMessage(QUESTION)], stream=case.STREAM, max_retries=0)


case.run(ask)
