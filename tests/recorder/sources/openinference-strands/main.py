from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, SCENARIO, TOOLS
from driver.openai_calls import MODEL
from openinference.instrumentation.strands_agents import StrandsAgentsToOpenInferenceProcessor
from strands import Agent, tool

telemetry.start(StrandsAgentsToOpenInferenceProcessor())


def model():
    if CASE.startswith("anthropic"):
        from strands.models.anthropic import AnthropicModel
        return AnthropicModel(client_args={"max_retries": 2 if SCENARIO == "cache" else 0}, model_id="claude-sonnet-4-5", max_tokens=1024)
    if CASE.startswith("bedrock"):
        from strands.models import BedrockModel
        return BedrockModel(model_id="anthropic.claude-3-5-sonnet-20241022-v2:0", region_name="us-east-1")
    from strands.models.openai import OpenAIModel
    return OpenAIModel(client_args={"max_retries": 0}, model_id=MODEL)


def ask():
    tools = [tool(function) for function in weather.FUNCTIONS.values()] if TOOLS else []
    agent = Agent(model=model(), name="Weather Agent", system_prompt="You are helpful", tools=tools, callback_handler=None, retry_strategy=None)
    for _ in range(2 if SCENARIO == "cache" else 1):
        agent(QUESTION)


case.run(ask)
