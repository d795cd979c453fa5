from driver import case, telemetry, weather
from driver.case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS
from mirascope import llm, ops

ops.configure(tracer_provider=telemetry.start())
ops.instrument_llm()
MODELS = {"anthropic": "anthropic/claude-sonnet-4-5", "google": "google/gemini-2.5-flash"}


@ops.trace
def ask():
    model = llm.Model(MODELS.get(CASE.split("_")[0], "openai/gpt-4o"))
    options = {"tools": [llm.tool(function) for function in weather.FUNCTIONS.values()]} if TOOLS else {}
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        messages = [llm.messages.system("You are helpful"), llm.messages.user(question)]
        if STREAM:
            for _ in model.stream(messages, **options).chunk_stream():
                pass
            continue
        response = model.call(messages, **options)
        while response.tool_calls:
            response = response.resume(response.execute_tools())


case.run(ask)
