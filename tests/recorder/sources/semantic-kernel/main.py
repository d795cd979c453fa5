from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, SCENARIO, STREAM, TOOLS
from driver.openai_calls import MODEL
from openai import AsyncOpenAI
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import kernel_function

telemetry.start()


class Tools:
    get_weather = staticmethod(kernel_function(name="get_weather")(weather.get_weather))
    search_docs = staticmethod(kernel_function(name="search_docs")(weather.search_docs))


async def ask():
    client = AsyncOpenAI(max_retries=0)
    service = OpenAIChatCompletion(MODEL, async_client=client)
    if CASE.startswith("agent"):
        agent = ChatCompletionAgent(service=service, name="weather_agent", instructions="You are helpful", plugins=[Tools()])
        return await agent.get_response(QUESTION)
    kernel = Kernel()
    kernel.add_service(service)
    settings = OpenAIChatPromptExecutionSettings(temperature=0.2)
    if TOOLS:
        kernel.add_plugin(Tools(), "tools")
        settings.function_choice_behavior = FunctionChoiceBehavior.Auto(maximum_auto_invoke_attempts=8)
    for question in [QUESTION] * (2 if SCENARIO == "cache" else 1):
        history = ChatHistory(system_message="You are helpful")
        history.add_user_message(question)
        if STREAM:
            async for _ in service.get_streaming_chat_message_contents(history, settings, kernel=kernel):
                pass
        else:
            await service.get_chat_message_contents(history, settings, kernel=kernel)


case.run(ask)
