"""Clients wrapped by hand. Each setting names what it says of a call in the words of other authors (`words.py`)."""
import json

from driver import telemetry, weather
from driver.case import CASE, SETTING, TOOLS, run
from driver.wrapped_calls import Anthropic, Embeddings, OpenAI
from words import WORDS

telemetry.start()

words = WORDS[SETTING]()


def ask():
    if CASE == "embeddings":
        words.call(Embeddings(), [{"role": "user", "content": "a text"}])
        return
    client = Anthropic() if CASE.startswith("anthropic") else OpenAI()
    for question in client.questions():
        words.session(lambda: talk(client, question))


def talk(client, question):
    messages = client.opening(question)
    while True:
        answer = words.call(client, messages)
        if not answer.tools or not TOOLS:
            return answer
        results = [(call, words.tool(call, lambda call=call: weather.call(call.name, json.loads(call.arguments)))) for call in answer.tools]
        messages += client.continued(answer, results)


run(ask)
