// LangChain.js and LangGraph as applications use them.
import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, CASE, OPENAI_MODEL, QUESTION, QUESTIONS, STREAM, TOOLS } from "./case.mjs";
import * as weather from "./weather.mjs";

function model() {
  return ANTHROPIC ? new ChatAnthropic({ model: ANTHROPIC_MODEL, maxRetries: 0 }) : new ChatOpenAI({ model: OPENAI_MODEL, maxRetries: 0, temperature: 0.2 });
}

function tools() {
  return Object.entries(weather.functions).map(([name, call]) => {
    const [description, argument] = weather.descriptions[name];
    return tool(call, { name, description, schema: z.object({ [argument]: z.string() }) });
  });
}

export async function ask(config = {}) {
  if (CASE.startsWith("embeddings")) return new OpenAIEmbeddings({ model: "text-embedding-3-small" }).embedQuery("a text");
  if (TOOLS) {
    const agent = createAgent({ model: model(), tools: tools(), systemPrompt: "You are helpful" });
    return agent.invoke({ messages: [new HumanMessage(QUESTION)] }, config);
  }
  for (const question of QUESTIONS) {
    const messages = [new SystemMessage("You are helpful"), new HumanMessage(question)];
    if (STREAM) for await (const _ of await model().stream(messages, config));
    else await model().invoke(messages, config);
  }
}
