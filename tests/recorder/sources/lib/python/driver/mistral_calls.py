"""The Mistral client as applications use it."""
import json

try:
    from mistralai import Mistral
except ImportError:    # since 2.0
    from mistralai.client import Mistral

from . import weather
from .case import ASYNC, CASE, QUESTION, SCENARIO, STREAM, TOOLS

MODEL = "mistral-large-latest"


def ask():
    client = Mistral(api_key="test")
    if CASE.startswith("embeddings"):
        return client.embeddings.create(model="mistral-embed", inputs=["first text", "second text"])
    messages = [{"role": "system", "content": "You are helpful"}, {"role": "user", "content": QUESTION}]
    options = {"model": MODEL, "temperature": 0.2, "max_tokens": 16 if SCENARIO == "max_tokens" else 1024}
    if TOOLS:
        options["tools"] = weather.CHAT_TOOLS
    if ASYNC:
        return client.chat.complete_async(messages=messages, **options)
    if STREAM:
        return list(client.chat.stream(messages=messages, **options))
    while True:
        message = client.chat.complete(messages=messages, **options).choices[0].message
        if not message.tool_calls:
            return
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            arguments = call.function.arguments
            result = weather.call(call.function.name, json.loads(arguments) if isinstance(arguments, str) else arguments)
            messages.append({"role": "tool", "name": call.function.name, "tool_call_id": call.id, "content": result})
