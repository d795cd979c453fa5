"""OpenAI's Realtime API: one connection, text only."""
import json

import openai
from driver import case, telemetry, weather
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
OpenAIInstrumentor().instrument()


async def ask():
    client = openai.AsyncOpenAI(api_key="sk-test")
    async with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
        session = {"modalities": ["text"], "instructions": "You are helpful"}
        if case.TOOLS:
            session |= {"tools": [{key: tool[key] for key in ("type", "name", "description", "parameters")} for tool in TOOLS]}
        await connection.session.update(session=session)
        questions = ["When does it end?", "What is the notice period?"] if case.SCENARIO == "cache" else [case.QUESTION]
        for question in questions:
            content = [{"type": "input_text", "text": question}]
            await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            while await answer(connection):
                pass


TOOLS = [{"type": "function", "name": function.__name__, "description": function.__doc__, "parameters": weather.schema(function)}
         for function in weather.FUNCTIONS.values()]


async def answer(connection):
    """Asks for an answer; says whether it called a tool, which was answered."""
    await connection.response.create()
    called = False
    async for event in connection:
        if event.type == "response.function_call_arguments.done":
            called = True
            result = weather.call("search_docs" if "query" in event.arguments else "get_weather", json.loads(event.arguments))
            output = {"type": "function_call_output", "call_id": event.call_id, "output": result}
            await connection.conversation.item.create(item=output)
        elif event.type == "response.done":
            return called
        elif event.type == "error":
            raise RuntimeError(event.error.message)


case.run(ask)
