"""Bedrock through boto3 as applications use it. Cases invoke_*: InvokeModel with Anthropic's body, otherwise Converse."""
import json

import boto3
from botocore.config import Config

from . import weather
from .case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS

MODEL = "anthropic.claude-3-5-sonnet-20241022-v2:0"
CONVERSE_TOOLS = [{"toolSpec": {"name": f.__name__, "description": f.__doc__, "inputSchema": {"json": weather.schema(f)}}}
                  for f in weather.FUNCTIONS.values()]
INVOKE_TOOLS = [{"name": f.__name__, "description": f.__doc__, "input_schema": weather.schema(f)} for f in weather.FUNCTIONS.values()]


def ask():
    client = boto3.client("bedrock-runtime", region_name="us-east-1", config=Config(retries={"max_attempts": 1}))
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        if CASE.startswith("invoke"):
            invoke(client, question)
        else:
            converse(client, question)


def converse(client, question):
    messages = [{"role": "user", "content": [{"text": question}]}]
    while True:
        options = {"modelId": MODEL, "messages": messages, "system": [{"text": "You are helpful"}],
                   "inferenceConfig": {"maxTokens": 16 if SCENARIO == "max_tokens" else 1024, "temperature": 0.2, "topP": 0.9}}
        if SCENARIO == "stop_sequence":
            options["inferenceConfig"]["stopSequences"] = ["four"]
        if TOOLS:
            options["toolConfig"] = {"tools": CONVERSE_TOOLS}
        content = joined(client.converse_stream(**options)["stream"]) if STREAM else client.converse(**options)["output"]["message"]["content"]
        calls = [block["toolUse"] for block in content if "toolUse" in block]
        if not calls:
            return
        messages.append({"role": "assistant", "content": content})
        messages.append({"role": "user", "content": [
            {"toolResult": {"toolUseId": c["toolUseId"], "content": [{"text": weather.call(c["name"], c["input"])}]}} for c in calls]})


def joined(events):
    """The content blocks that a stream adds up to."""
    blocks = {}
    for event in events:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            blocks[start["contentBlockIndex"]] = {"toolUse": {**start["start"]["toolUse"], "input": ""}}
        elif "contentBlockDelta" in event:
            part = event["contentBlockDelta"]
            if "toolUse" in part["delta"]:
                blocks[part["contentBlockIndex"]]["toolUse"]["input"] += part["delta"]["toolUse"]["input"]
            else:
                block = blocks.setdefault(part["contentBlockIndex"], {"text": ""})
                block["text"] += part["delta"]["text"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    return list(blocks.values())


def invoke(client, question):
    messages = [{"role": "user", "content": question}]
    while True:
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1024, "temperature": 0.2, "system": "You are helpful", "messages": messages}
        if TOOLS:
            body["tools"] = INVOKE_TOOLS
        if STREAM:
            for _ in client.invoke_model_with_response_stream(modelId=MODEL, body=json.dumps(body))["body"]:
                pass
            return
        answer = json.loads(client.invoke_model(modelId=MODEL, body=json.dumps(body))["body"].read())
        calls = [block for block in answer["content"] if block["type"] == "tool_use"]
        if not calls:
            return
        messages.append({"role": "assistant", "content": answer["content"]})
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": c["id"], "content": weather.call(c["name"], c["input"])} for c in calls]})
