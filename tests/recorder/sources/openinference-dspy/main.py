import dspy
from driver import case, telemetry, weather
from driver.case import CASE, QUESTION, SCENARIO
from openinference.instrumentation.dspy import DSPyInstrumentor

telemetry.start()
DSPyInstrumentor().instrument()


def ask():
    dspy.configure(lm=dspy.LM("openai/gpt-4o", cache=False, num_retries=0, temperature=0.2))
    if CASE.startswith("react"):
        return dspy.ReAct("question -> answer", tools=list(weather.FUNCTIONS.values()), max_iters=3)(question=QUESTION)
    program = dspy.Predict("question -> answer")
    for _ in range(2 if "cache" in SCENARIO else 1):
        program(question=QUESTION)


case.run(ask)
