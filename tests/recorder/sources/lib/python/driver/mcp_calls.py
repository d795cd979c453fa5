"""A client of an MCP server, which is a process of its own and exports its own spans: the source's server.py."""
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from openai import OpenAI
from opentelemetry import trace

from .case import QUESTION


def schema(tool):
    """Called inputSchema before mcp 2."""
    return tool.input_schema if hasattr(tool, "input_schema") else tool.inputSchema


def offered(tools):
    return [{"type": "function", "function": {"name": t.name, "description": t.description, "parameters": schema(t)}} for t in tools]


async def ask():
    server = StdioServerParameters(command=sys.executable, args=["server.py"], env=dict(os.environ))
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        with trace.get_tracer("chat-api").start_as_current_span("answer"):
            await talk(session)


async def talk(session):
    tools = offered((await session.list_tools()).tools)
    client = OpenAI(max_retries=0)
    messages = [{"role": "user", "content": QUESTION}]
    while True:
        message = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools).choices[0].message
        if not message.tool_calls:
            return
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = await session.call_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result.content[0].text})
