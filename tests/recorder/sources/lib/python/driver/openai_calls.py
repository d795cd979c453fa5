"""The OpenAI client as applications use it. The case's name says which API: responses_*, embeddings*, otherwise chat."""
import asyncio
import json

import openai

from . import weather
from .case import ASYNC, CASE, DOCUMENT, QUESTION, RETRIES, SCENARIO, STREAM, TIMEOUT, TOOLS
from .pixel import PIXEL

# Providers that speak OpenAI's protocol: (address, model). The case's name starts with theirs.
COMPATIBLE = {
    "groq": ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
    "openrouter": ("https://openrouter.ai/api/v1", "anthropic/claude-sonnet-4.5"),
    "mistral": ("https://api.mistral.ai/v1", "mistral-large-latest"),
    "deepseek": ("https://api.deepseek.com/v1", "deepseek-chat"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash"),
}
PROVIDER = CASE.split("_")[0]
MODEL = COMPATIBLE[PROVIDER][1] if PROVIDER in COMPATIBLE else "o4-mini" if SCENARIO == "reasoning" else "no-such-model" if SCENARIO == "err_404" else "gpt-4o"
RESPONSES_TOOLS = [{"type": "function", "name": f.__name__, "description": f.__doc__, "parameters": weather.schema(f)}
                   for f in weather.FUNCTIONS.values()]
IMAGES = {"image_url": "https://example.com/paris.jpg", "image_base64": f"data:image/png;base64,{PIXEL}"}


def client(**options):
    if PROVIDER in COMPATIBLE:
        options["base_url"] = COMPATIBLE[PROVIDER][0]
    if PROVIDER == "azure":
        return openai.AzureOpenAI(azure_endpoint="https://example.openai.azure.com", api_key="test", api_version="2025-04-01-preview", max_retries=RETRIES)
    return openai.OpenAI(api_key="sk-test", max_retries=RETRIES, timeout=TIMEOUT, **options)


def async_client(**options):
    return openai.AsyncOpenAI(api_key="sk-test", max_retries=RETRIES, timeout=TIMEOUT, **options)


def ask(**options):
    """Does what the case asks for; `options` go to the client's constructor."""
    if ASYNC:
        return ask_async(async_client(**options))
    one = client(**options)
    if CASE.startswith("embeddings") or CASE.startswith("err_embeddings"):
        texts = ["first text", "second text"] if "batch" in CASE else "a text"
        return one.embeddings.create(model="text-embedding-3-small", input=texts)
    talk = responses if CASE.startswith("responses") else chat
    for question in questions():
        talk(one, question)


async def ask_async(one):
    count = 3 if "concurrent" in CASE else 1
    calls = [one.chat.completions.create(model=MODEL, messages=[user(QUESTION)], **chat_options()) for _ in range(count)]
    for answer in await asyncio.gather(*calls):
        if STREAM:
            async for _ in answer:
                pass


def questions():
    if SCENARIO == "cache":
        return [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"]
    return [QUESTION] * (3 if CASE.startswith("batch") else 1)


def user(text):
    return {"role": "user", "content": text}


def chat_options():
    options = {}
    if TOOLS:
        options["tools"] = weather.CHAT_TOOLS
    if STREAM:
        options["stream"] = True
        if "nousage" not in CASE:
            options["stream_options"] = {"include_usage": True}
    if SCENARIO == "reasoning":
        options |= {"max_completion_tokens": 2048, "reasoning_effort": "medium"}
    else:
        options |= {"temperature": 0.2, "top_p": 0.9}
    if SCENARIO == "max_tokens":
        options["max_tokens"] = 16
    if SCENARIO == "multi_choice":
        options["n"] = 2
    if SCENARIO == "json":
        options["response_format"] = {"type": "json_object"}
    if SCENARIO == "stop_sequence":
        options["stop"] = ["four"]
    return options


def chat(one, question):
    content = question
    for name, address in IMAGES.items():
        if CASE == name:
            content = [{"type": "text", "text": "What is in this picture?"}, {"type": "image_url", "image_url": {"url": address}}]
    messages = [{"role": "system", "content": "You are helpful"}, user(content)]
    while True:
        answer = one.chat.completions.create(model=MODEL, messages=messages, **chat_options())
        if STREAM:
            message = joined(answer)
        else:
            message = answer.choices[0].message.model_dump(exclude_none=True)
        if not message.get("tool_calls"):
            return
        messages.append(message)
        for call in message["tool_calls"]:
            result = weather.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def joined(chunks):
    """The message that a stream adds up to."""
    calls = {}
    for number, chunk in enumerate(chunks):
        if CASE == "stream_abandon" and number == 4:
            chunks.close()
            return {}
        for choice in chunk.choices:
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, {"id": part.id, "type": "function", "function": {"name": part.function.name, "arguments": ""}})
                call["function"]["arguments"] += part.function.arguments or ""
    return {"role": "assistant", "content": None, "tool_calls": list(calls.values())} if calls else {}


def responses_options():
    options = {"instructions": "You are helpful"}
    if TOOLS:
        options["tools"] = RESPONSES_TOOLS
    if SCENARIO == "reasoning":
        options["reasoning"] = {"effort": "medium", "summary": "auto"}
    if SCENARIO == "max_tokens":
        options["max_output_tokens"] = 16
    return options


def responses(one, question):
    inputs = [user(question)]
    for name, address in IMAGES.items():
        if CASE.endswith(name):
            inputs = [user([{"type": "input_text", "text": "What is in this picture?"}, {"type": "input_image", "image_url": address}])]
    while True:
        answer = one.responses.create(model=MODEL, input=inputs, stream=STREAM, **responses_options())
        if STREAM:
            answer = ended(answer)
        calls = [item for item in answer.output if item.type == "function_call"] if answer else []
        if not calls:
            return
        inputs += [item.model_dump(exclude_none=True) for item in answer.output]
        inputs += [{"type": "function_call_output", "call_id": c.call_id, "output": weather.call(c.name, json.loads(c.arguments))} for c in calls]


def ended(events):
    """The response that a stream ends with."""
    last = None
    for event in events:
        if event.type in ("response.completed", "response.incomplete"):
            last = event.response
    return last
