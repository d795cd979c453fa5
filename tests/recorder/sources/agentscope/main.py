from driver import case, telemetry

telemetry.start()

from agentscope.agent import Agent  # noqa: E402
from agentscope.credential import AnthropicCredential, OpenAICredential  # noqa: E402
from agentscope.message import TextBlock, ToolResultState, UserMsg  # noqa: E402
from agentscope.middleware import TracingMiddleware  # noqa: E402
from agentscope.model import AnthropicChatModel, OpenAIChatModel  # noqa: E402
from agentscope.tool import FunctionTool, Toolkit  # noqa: E402
from driver import weather  # noqa: E402


def model():
    if case.CASE.startswith("anthropic"):
        return AnthropicChatModel(credential=AnthropicCredential(api_key="test"), model="claude-sonnet-4-5", stream=case.STREAM, max_retries=0)
    return OpenAIChatModel(credential=OpenAICredential(api_key="test"), model="gpt-4o", stream=case.STREAM, max_retries=0)


async def ask():
    toolkit = Toolkit(tools=[FunctionTool(f) for f in weather.FUNCTIONS.values()]) if case.TOOLS else None
    for _ in range(2 if case.SCENARIO == "cache" else 1):
        agent = Agent(name="weather_agent", system_prompt="You are helpful", model=model(), toolkit=toolkit, middlewares=[TracingMiddleware()])
        await agent.reply(UserMsg(name="user", content=case.QUESTION))


case.run(ask)
