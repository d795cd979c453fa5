"""Which case is recorded, and how its end is told to the recorder."""
import asyncio
import inspect
import os

from . import telemetry

CASE = os.environ["CASE"]
SCENARIO = os.environ["SCENARIO"]
SETTING = os.environ["SETTING"]
MOCK_URL = os.environ["MOCK_URL"]

STREAM = "stream" in CASE
ASYNC = "async" in CASE
TOOLS = "tool" in SCENARIO or SCENARIO == "agent2"
RETRIES = 2 if SCENARIO == "retry_then_ok" else 0
TIMEOUT = 1.0 if SCENARIO == "timeout" else 60.0

QUESTION = "What is the weather in Paris?" if TOOLS else "What is the capital of France?"
# The document of the scenario `cache`: long enough for a provider to cache it.
DOCUMENT = "This is the contract between the landlord and the tenant. " * 40


def run(ask):
    """Asks, tells of an exception by its class, and exports what is left."""
    try:
        answer = ask()
        if inspect.isawaitable(answer):
            asyncio.run(wait(answer))
    except Exception as error:
        print(f"client exception: {type(error).__module__.split('.')[0]}.{type(error).__name__}", flush=True)
        print(repr(error)[:2000], flush=True)
    telemetry.flush()


async def wait(answer):
    return await answer
