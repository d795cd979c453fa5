"""The Cohere client, second version of its API, as applications use it. The case's name says what: rerank*, embeddings*, otherwise a chat."""
import json

import cohere

from . import weather
from .case import CASE, QUESTION, STREAM, TOOLS


def ask():
    client = cohere.ClientV2()
    if CASE.startswith("rerank"):
        return client.rerank(model="rerank-v3.5", query=QUESTION, documents=["Paris is in France.", "Oslo is in Norway."], top_n=2)
    if CASE.startswith("embeddings"):
        return client.embed(model="embed-v4.0", texts=["a text"], input_type="search_document", embedding_types=["float"])
    messages = [{"role": "user", "content": QUESTION}]
    options = {"model": "command-a-03-2025", "temperature": 0.2} | ({"tools": weather.CHAT_TOOLS} if TOOLS else {})
    if STREAM:
        return list(client.chat_stream(messages=messages, **options))
    while True:
        message = client.chat(messages=messages, **options, request_options={"max_retries": 0}).message
        if not message.tool_calls:
            return
        messages.append(message)
        for call in message.tool_calls:
            result = weather.call(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
