import json

from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
from azure.ai.inference.models import (
    AssistantMessage, ChatCompletionsToolDefinition, FunctionDefinition, SystemMessage, ToolMessage, UserMessage,
)
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.settings import settings
from driver import case, telemetry, weather
from driver.case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS

telemetry.start()
settings.tracing_implementation = "opentelemetry"
AIInferenceInstrumentor().instrument()

ENDPOINT = "https://example.services.ai.azure.com/models"
# The SDK would tell the machine's kernel and network address, in the name it gives itself and in the ids of its requests.
QUIET = {"user_agent_policy": UserAgentPolicy("azsdk-python-ai-inference/1.0.0b9 Python/3.11"), "auto_request_id": False}
TOOL_LIST = [ChatCompletionsToolDefinition(function=FunctionDefinition(name=f.__name__, description=f.__doc__, parameters=weather.schema(f)))
             for f in weather.FUNCTIONS.values()]


def ask():
    if CASE.startswith("embeddings"):
        return EmbeddingsClient(ENDPOINT, AzureKeyCredential("test"), **QUIET).embed(model="text-embedding-3-small", input=["a text"])
    client = ChatCompletionsClient(ENDPOINT, AzureKeyCredential("test"), retry_total=0, **QUIET)
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        talk(client, question)


def talk(client, question):
    messages = [SystemMessage("You are helpful"), UserMessage(question)]
    options = {"model": "gpt-4o", "temperature": 0.2, "max_tokens": 16 if SCENARIO == "max_tokens" else 1024}
    if TOOLS:
        options["tools"] = TOOL_LIST
    if STREAM:
        return list(client.complete(messages=messages, stream=True, model_extras={"stream_options": {"include_usage": True}}, **options))
    while True:
        message = client.complete(messages=messages, **options).choices[0].message
        if not message.tool_calls:
            return
        messages.append(AssistantMessage(tool_calls=message.tool_calls))
        for call in message.tool_calls:
            result = weather.call(call.function.name, json.loads(call.function.arguments))
            messages.append(ToolMessage(result, tool_call_id=call.id))


case.run(ask)
