"""The Anthropic client as applications use it."""
import anthropic

from . import weather
from .case import ASYNC, CASE, DOCUMENT, QUESTION, RETRIES, SCENARIO, STREAM, TIMEOUT, TOOLS
from .pixel import PIXEL

MODEL = "no-such-model" if SCENARIO == "err_404" else "claude-sonnet-4-5"
TOOL_LIST = [{"name": f.__name__, "description": f.__doc__, "input_schema": weather.schema(f)} for f in weather.FUNCTIONS.values()]


def ask(make=anthropic.Anthropic, make_async=anthropic.AsyncAnthropic, model=MODEL, **options):
    options = {"max_retries": RETRIES, "timeout": TIMEOUT, **options}
    if ASYNC:
        return ask_async(make_async(**options), model)
    one = make(**options)
    for question in questions():
        talk(one, model, question)


async def ask_async(one, model):
    answer = await one.messages.create(model=model, messages=[{"role": "user", "content": QUESTION}], **request())
    if STREAM:
        async for _ in answer:
            pass


def questions():
    if SCENARIO == "cache":
        return ["When does the contract end?", "What is the notice period?"]
    return [QUESTION] * (3 if CASE.startswith("batch") else 1)


def request():
    wanted = {"max_tokens": 16 if SCENARIO == "max_tokens" else 1024, "system": "You are helpful"}
    if TOOLS:
        wanted["tools"] = TOOL_LIST
    if SCENARIO == "reasoning":
        wanted |= {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
    if SCENARIO == "cache":
        wanted["system"] = [{"type": "text", "text": DOCUMENT, "cache_control": {"type": "ephemeral"}}]
    if SCENARIO == "stop_sequence":
        wanted["stop_sequences"] = ["four"]
    if STREAM and "helper" not in CASE:
        wanted["stream"] = True
    return wanted


def content(question):
    if CASE == "image_base64":
        return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                {"type": "text", "text": "What is in this picture?"}]
    if CASE == "image_url":
        return [{"type": "image", "source": {"type": "url", "url": "https://example.com/paris.jpg"}},
                {"type": "text", "text": "What is in this picture?"}]
    return question


def talk(one, model, question):
    messages = [{"role": "user", "content": content(question)}]
    while True:
        if "helper" in CASE:
            with one.messages.stream(model=model, messages=messages, **request()) as stream:
                for _ in stream.text_stream:
                    pass
                answer = stream.get_final_message()
        else:
            answer = one.messages.create(model=model, messages=messages, **request())
            if STREAM:
                return drain(answer)
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return
        messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]})
        results = [{"type": "tool_result", "tool_use_id": c.id, "content": weather.call(c.name, c.input)} for c in calls]
        messages.append({"role": "user", "content": results})


def drain(events):
    for number, _ in enumerate(events):
        if CASE == "stream_abandon" and number == 6:
            return events.close()
