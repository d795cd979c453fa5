"""Haystack's pipelines as applications build them. The case's name says which: embeddings*, otherwise a prompt or an agent."""
from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.embedders import OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool

from . import weather
from .case import CASE, QUESTION, SCENARIO, STREAM, TOOLS
from .openai_calls import MODEL

TOOL_LIST = [Tool(name=f.__name__, description=f.__doc__, parameters=weather.schema(f), function=f) for f in weather.FUNCTIONS.values()]


def generator():
    streaming = {"streaming_callback": lambda chunk: None} if STREAM else {}
    options = {"temperature": 0.2} | ({"stream_options": {"include_usage": True}} if STREAM else {})
    return OpenAIChatGenerator(model=MODEL, max_retries=0, generation_kwargs=options, **streaming)


def ask():
    pipeline = Pipeline()
    if CASE.startswith("embeddings"):
        pipeline.add_component("embedder", OpenAITextEmbedder(model="text-embedding-3-small"))
        return pipeline.run({"embedder": {"text": "a text"}})
    if TOOLS:
        pipeline.add_component("agent", Agent(chat_generator=generator(), tools=TOOL_LIST, system_prompt="You are helpful"))
        return pipeline.run({"agent": {"messages": [ChatMessage.from_user(QUESTION)]}})
    template = [ChatMessage.from_system("You are helpful"), ChatMessage.from_user("{{question}}")]
    pipeline.add_component("prompt", ChatPromptBuilder(template=template, required_variables=["question"]))
    pipeline.add_component("llm", generator())
    pipeline.connect("prompt.prompt", "llm.messages")
    for _ in range(2 if SCENARIO == "cache" else 1):
        pipeline.run({"prompt": {"question": QUESTION}})
