"""LlamaIndex as applications use it. The case's name says what: embeddings*, rag*, otherwise a chat or an agent."""
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

from . import weather
from .case import CASE, QUESTION, SCENARIO, STREAM, TOOLS
from .openai_calls import MODEL


async def agent(llm):
    tools = [FunctionTool.from_defaults(fn=function) for function in weather.FUNCTIONS.values()]
    await FunctionAgent(name="weather_agent", tools=tools, llm=llm, system_prompt="You are helpful").run(user_msg=QUESTION)


def ask():
    extra = {"stream_options": {"include_usage": True}} if STREAM else {}
    llm = OpenAI(model=MODEL, max_retries=0, temperature=0.2, additional_kwargs=extra)
    embedding = OpenAIEmbedding(model="text-embedding-3-small", max_retries=0)
    if CASE.startswith("embeddings"):
        return embedding.get_text_embedding("a text")
    if TOOLS:
        return agent(llm)
    if CASE.startswith("rag"):
        index = VectorStoreIndex.from_documents([Document(text="Paris is the capital of France.")], embed_model=embedding)
        return index.as_query_engine(llm=llm).query(QUESTION)
    messages = [ChatMessage(role="system", content="You are helpful"), ChatMessage(role="user", content=QUESTION)]
    for _ in range(2 if SCENARIO == "cache" else 1):
        if STREAM:
            for _ in llm.stream_chat(messages):
                pass
        else:
            llm.chat(messages)
