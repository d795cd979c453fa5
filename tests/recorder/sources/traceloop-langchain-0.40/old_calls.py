"""LangChain 0.3 and LangGraph's first agents as applications used them."""
from driver import weather
from driver.case import CASE, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.prebuilt import create_react_agent


def model():
    if CASE.startswith("anthropic"):
        from langchain_anthropic import ChatAnthropic
        return ChatAnthropic(model="claude-sonnet-4-5", max_retries=0, max_tokens=1024)
    from langchain_openai import ChatOpenAI
    return ChatOpenAI(model="gpt-4o", max_retries=0, temperature=0.2, stream_usage=True)


def ask():
    if TOOLS:
        agent = create_react_agent(model(), [tool(function) for function in weather.FUNCTIONS.values()])
        return agent.invoke({"messages": [HumanMessage(QUESTION)]})
    questions = [f"{DOCUMENT}\nWhen does it end?", f"{DOCUMENT}\nWhat is the notice period?"] if SCENARIO == "cache" else [QUESTION]
    for question in questions:
        messages = [SystemMessage("You are helpful"), HumanMessage(question)]
        if STREAM:
            list(model().stream(messages))
        else:
            model().invoke(messages)
