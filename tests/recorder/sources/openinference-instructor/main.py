import instructor
import openai
from driver import case, openai_calls, telemetry
from driver.case import CASE, QUESTION, SCENARIO
from openinference.instrumentation.instructor import InstructorInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from pydantic import BaseModel

telemetry.start()
OpenAIInstrumentor().instrument()
InstructorInstrumentor().instrument()


class City(BaseModel):
    city: str
    country: str


def ask():
    mode = instructor.Mode.JSON if CASE == "json" else instructor.Mode.TOOLS
    client = instructor.from_openai(openai_calls.client(), mode=mode)
    for _ in range(2 if "cache" in SCENARIO else 1):
        client.chat.completions.create(model="gpt-4o", response_model=City, messages=[{"role": "user", "content": QUESTION}], max_retries=0)


case.run(ask)
