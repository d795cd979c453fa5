"""LiteLLM's own client as applications use it. The case's name says which provider: anthropic_*, gemini_*, groq_*, otherwise OpenAI."""
import json

import litellm

from . import weather
from .case import ASYNC, CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS

MODELS = {"anthropic": "anthropic/claude-sonnet-4-5", "gemini": "gemini/gemini-2.5-flash", "groq": "groq/llama-3.3-70b-versatile"}
MODEL = MODELS.get(CASE.split("_")[0], "o4-mini" if SCENARIO == "reasoning" else "gpt-4o")


def ask():
    if CASE.startswith("embeddings"):
        return litellm.embedding(model="text-embedding-3-small", input=["a text"])
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    if ASYNC:
        return litellm.acompletion(model=MODEL, messages=[{"role": "user", "content": QUESTION}], num_retries=0)
    for question in questions:
        talk(question)


def talk(question):
    messages = [{"role": "system", "content": "You are helpful"}, {"role": "user", "content": question}]
    options = {"model": MODEL, "num_retries": 0}
    if TOOLS:
        options["tools"] = weather.CHAT_TOOLS
    if STREAM:
        return list(litellm.completion(messages=messages, stream=True, stream_options={"include_usage": True}, **options))
    while True:
        message = litellm.completion(messages=messages, **options).choices[0].message
        if not message.tool_calls:
            return
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = weather.call(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
