"""The tools that the models are offered."""


def get_weather(location: str) -> str:
    """Get the current weather at a location."""
    return f"18 degrees and sunny in {location}"


def search_docs(query: str) -> str:
    """Search the company's documents."""
    return f"Nothing found for {query}"


FUNCTIONS = {"get_weather": get_weather, "search_docs": search_docs}


def schema(function):
    """The tool's arguments as JSON schema: each has one, a text."""
    name = next(iter(function.__annotations__))
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


# As OpenAI's chat completions want them, and many after it.
CHAT_TOOLS = [{"type": "function", "function": {"name": f.__name__, "description": f.__doc__, "parameters": schema(f)}}
              for f in FUNCTIONS.values()]


def call(name, arguments):
    return FUNCTIONS[name](**arguments)
