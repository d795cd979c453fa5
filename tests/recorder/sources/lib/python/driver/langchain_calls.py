"""LangChain and LangGraph as applications use them. Cases: anthropic_* with that model, rag_* with embeddings, tools by an agent."""
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool

from . import weather
from .case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS


def model():
    if CASE.startswith("anthropic"):
        from langchain_anthropic import ChatAnthropic
        return ChatAnthropic(model="claude-sonnet-4-5", max_retries=0, max_tokens=1024)
    from langchain_openai import ChatOpenAI
    return ChatOpenAI(model="gpt-4o", max_retries=0, temperature=0.2, stream_usage=True)


def ask(config=None):
    if "embeddings" in CASE:
        from langchain_openai import OpenAIEmbeddings
        return OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False).embed_documents(["first text", "second text"])
    if TOOLS:
        agent = create_agent(model(), [tool(function) for function in weather.FUNCTIONS.values()], system_prompt="You are helpful")
        return agent.invoke({"messages": [HumanMessage(QUESTION)]}, config)
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        messages = [SystemMessage("You are helpful"), HumanMessage(question)]
        if STREAM:
            for _ in model().stream(messages, config):
                pass
        else:
            model().invoke(messages, config)
