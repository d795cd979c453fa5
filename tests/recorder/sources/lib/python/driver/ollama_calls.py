"""The Ollama client as applications use it; Ollama has no address but the local one."""
import ollama

from . import weather
from .case import ASYNC, CASE, MOCK_URL, QUESTION, SCENARIO, STREAM, TOOLS

MODEL = "no-such-model" if SCENARIO == "err_404" else "llama3.2"


def ask():
    messages = [{"role": "user", "content": QUESTION}]
    if ASYNC:
        return ollama.AsyncClient(host=MOCK_URL).chat(model=MODEL, messages=messages)
    client = ollama.Client(host=MOCK_URL)
    if CASE.startswith("embeddings"):
        return client.embed(model="nomic-embed-text", input=["first text", "second text"])
    if CASE.startswith("generate"):
        answer = client.generate(model=MODEL, prompt=QUESTION, stream=STREAM)
        return list(answer) if STREAM else answer
    if STREAM:
        return list(client.chat(model=MODEL, messages=messages, stream=True))
    while True:
        message = client.chat(model=MODEL, messages=messages, tools=weather.CHAT_TOOLS if TOOLS else None).message
        if not message.tool_calls:
            return
        messages.append(message)
        for call in message.tool_calls:
            messages.append({"role": "tool", "tool_name": call.function.name, "content": weather.call(call.function.name, call.function.arguments)})
