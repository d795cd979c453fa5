"""An agent of smolagents."""
from smolagents import OpenAIServerModel, Tool, ToolCallingAgent

from . import weather
from .case import QUESTION
from .openai_calls import MODEL


class GetWeather(Tool):
    name, description, output_type = "get_weather", "Get the current weather at a location.", "string"
    inputs = {"location": {"type": "string", "description": "where"}}

    def forward(self, location: str) -> str:
        return weather.get_weather(location)


class SearchDocs(Tool):
    name, description, output_type = "search_docs", "Search the company's documents.", "string"
    inputs = {"query": {"type": "string", "description": "what for"}}

    def forward(self, query: str) -> str:
        return weather.search_docs(query)


def ask():
    model = OpenAIServerModel(MODEL, client_kwargs={"max_retries": 0})
    ToolCallingAgent(tools=[GetWeather(), SearchDocs()], model=model, name="weather_agent", max_steps=6, verbosity_level=0).run(QUESTION)
