"""The google-genai client as applications use it."""
import base64

from google import genai
from google.genai import types

from . import weather
from .case import ASYNC, CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS
from .pixel import PIXEL

MODEL = "gemini-2.5-flash"
TOOL_LIST = [types.Tool(function_declarations=[
    types.FunctionDeclaration(name=f.__name__, description=f.__doc__, parameters_json_schema=weather.schema(f)) for f in weather.FUNCTIONS.values()])]


def ask():
    client = genai.Client(api_key="test")
    if CASE.startswith("embeddings"):
        return client.models.embed_content(model="gemini-embedding-001", contents=["first text", "second text"])
    if ASYNC:
        return client.aio.models.generate_content(model=MODEL, contents=QUESTION, config=config())
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions * (3 if CASE.startswith("batch") else 1):
        talk(client, question)


def config():
    options = {"system_instruction": "You are helpful", "temperature": 0.2, "max_output_tokens": 16 if SCENARIO == "max_tokens" else 2048}
    if TOOLS:
        options["tools"] = TOOL_LIST
    if SCENARIO == "reasoning":
        options["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    return types.GenerateContentConfig(**options)


def talk(client, question):
    parts = [types.Part(text=question)]
    if CASE == "image_base64":
        parts.append(types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"))
    contents = [types.Content(role="user", parts=parts)]
    while True:
        if STREAM:
            chunks = list(client.models.generate_content_stream(model=MODEL, contents=contents, config=config()))
            said = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
        else:
            said = client.models.generate_content(model=MODEL, contents=contents, config=config()).candidates[0].content.parts or []
        calls = [part.function_call for part in said if part.function_call]
        if not calls:
            return
        contents.append(types.Content(role="model", parts=said))
        results = [types.Part.from_function_response(name=c.name, response={"result": weather.call(c.name, c.args)}) for c in calls]
        contents.append(types.Content(role="user", parts=results))
