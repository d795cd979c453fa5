"""The Groq client as applications use it."""
import json

import groq

from . import weather
from .case import ASYNC, QUESTION, SCENARIO, STREAM, TOOLS

MODEL = "llama-3.3-70b-versatile"


def ask():
    messages = [{"role": "system", "content": "You are helpful"}, {"role": "user", "content": QUESTION}]
    options = {"model": MODEL, "temperature": 0.2, "max_tokens": 16 if SCENARIO == "max_tokens" else 1024}
    if TOOLS:
        options["tools"] = weather.CHAT_TOOLS
    if ASYNC:
        return groq.AsyncGroq(max_retries=0).chat.completions.create(messages=messages, **options)
    client = groq.Groq(max_retries=0)
    if STREAM:
        return list(client.chat.completions.create(messages=messages, stream=True, **options))
    while True:
        message = client.chat.completions.create(messages=messages, **options).choices[0].message
        if not message.tool_calls:
            return
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = weather.call(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
