"""The calls of both clients for what wraps them by hand, brought to one form: what was asked for and what came back."""
import dataclasses
import json
import time

import anthropic

from . import anthropic_calls, openai_calls
from .case import STREAM


@dataclasses.dataclass
class Tool:
    id: str
    name: str
    arguments: str


@dataclasses.dataclass
class Answer:
    id: str = None
    model: str = None
    text: str = ""
    finish: str = None
    input: int = None
    output: int = None
    cache_read: int = None
    cache_write: int = None
    reasoning: int = None
    tools: list = dataclasses.field(default_factory=list)
    first_token: float = None      # seconds after the start


class OpenAI:
    provider = "openai"
    model = openai_calls.MODEL

    def __init__(self):
        self.client = openai_calls.client()

    def questions(self):
        return openai_calls.questions()

    def opening(self, question):
        return [{"role": "system", "content": "You are helpful"}, openai_calls.user(question)]

    def options(self):
        return openai_calls.chat_options()

    def ask(self, messages, on_first):
        started = time.monotonic()
        got = self.client.chat.completions.create(model=self.model, messages=messages, **self.options())
        if not STREAM:
            return self.whole(got)
        answer, calls = Answer(), {}
        for chunk in got:
            answer.id, answer.model = chunk.id, chunk.model
            if chunk.usage:
                self.count(answer, chunk.usage)
            for choice in chunk.choices:
                if (choice.delta.content or choice.delta.tool_calls) and answer.first_token is None:
                    answer.first_token = time.monotonic() - started
                    on_first(answer.first_token)
                answer.text += choice.delta.content or ""
                answer.finish = choice.finish_reason or answer.finish
                for part in choice.delta.tool_calls or []:
                    call = calls.setdefault(part.index, Tool(part.id, part.function.name, ""))
                    call.arguments += part.function.arguments or ""
        answer.tools = list(calls.values())
        return answer

    def whole(self, got):
        choice = got.choices[0]
        answer = Answer(id=got.id, model=got.model, text=choice.message.content or "", finish=choice.finish_reason)
        self.count(answer, got.usage)
        answer.tools = [Tool(c.id, c.function.name, c.function.arguments) for c in choice.message.tool_calls or []]
        return answer

    def count(self, answer, usage):
        answer.input, answer.output = usage.prompt_tokens, usage.completion_tokens
        answer.cache_read = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
        answer.reasoning = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None

    def continued(self, answer, results):
        calls = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in answer.tools]
        return [{"role": "assistant", "content": answer.text or None, "tool_calls": calls},
                *({"role": "tool", "tool_call_id": call.id, "content": result} for call, result in results)]


class Embeddings(OpenAI):
    model = "text-embedding-3-small"

    def options(self):
        return {}

    def ask(self, messages, on_first):
        got = self.client.embeddings.create(model=self.model, input="a text")
        return Answer(model=got.model, input=got.usage.prompt_tokens)


class Anthropic:
    provider = "anthropic"
    model = anthropic_calls.MODEL

    def __init__(self):
        self.client = anthropic.Anthropic(api_key="sk-ant-test", max_retries=0)

    def questions(self):
        return anthropic_calls.questions()

    def opening(self, question):
        return [{"role": "user", "content": question}]

    def options(self):
        return {name: value for name, value in anthropic_calls.request().items() if name != "stream"}

    def ask(self, messages, on_first):
        started = time.monotonic()
        if not STREAM:
            return self.whole(self.client.messages.create(model=self.model, messages=messages, **self.options()))
        first = None
        with self.client.messages.stream(model=self.model, messages=messages, **self.options()) as stream:
            for _ in stream.text_stream:
                if first is None:
                    first = time.monotonic() - started
                    on_first(first)
            answer = self.whole(stream.get_final_message())
        answer.first_token = first
        return answer

    def whole(self, got):
        usage = got.usage
        return Answer(id=got.id, model=got.model, text="".join(b.text for b in got.content if b.type == "text"), finish=got.stop_reason,
                      input=usage.input_tokens, output=usage.output_tokens, cache_read=usage.cache_read_input_tokens,
                      cache_write=usage.cache_creation_input_tokens,
                      tools=[Tool(b.id, b.name, json.dumps(b.input)) for b in got.content if b.type == "tool_use"])

    def continued(self, answer, results):
        said = [{"type": "text", "text": answer.text}] if answer.text else []
        said += [{"type": "tool_use", "id": c.id, "name": c.name, "input": json.loads(c.arguments)} for c in answer.tools]
        return [{"role": "assistant", "content": said},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": result} for call, result in results]}]
