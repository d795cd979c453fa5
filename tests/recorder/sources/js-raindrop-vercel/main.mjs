import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createRaindropAISDK } from "@raindrop-ai/ai-sdk";
import * as ai from "ai";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as weather from "./weather.mjs";

const raindrop = createRaindropAISDK({ writeKey: "test", endpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT + "/v1/", traces: { enabled: true } });
const { generateText, streamText } = raindrop.wrap(ai, { context: { userId: "user-42", convoId: "sess-7", eventName: "answer" } });
const model = ANTHROPIC ? createAnthropic()(ANTHROPIC_MODEL) : createOpenAI().chat(OPENAI_MODEL);
const tools = Object.fromEntries(Object.entries(weather.functions).map(([name, execute]) => {
  const [description, argument] = weather.descriptions[name];
  return [name, ai.tool({ description, inputSchema: z.object({ [argument]: z.string() }), execute })];
}));

async function ask() {
  for (const prompt of QUESTIONS) {
    const options = { model, prompt, system: "You are helpful", maxRetries: 0, stopWhen: ai.stepCountIs(6), ...(TOOLS && { tools }) };
    if (STREAM) for await (const _ of streamText(options).textStream);
    else await generateText(options);
  }
}

run(ask, () => raindrop.flush());
