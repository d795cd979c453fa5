// Vercel's AI SDK as applications use it; `telemetry` are the options that the version wants for tracing.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import * as ai from "ai";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, CASE, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS } from "./case.mjs";
import * as weather from "./weather.mjs";

const openai = createOpenAI();
const model = ANTHROPIC ? createAnthropic()(ANTHROPIC_MODEL) : openai.chat(OPENAI_MODEL);

function tools() {
  const made = Object.entries(weather.functions).map(([name, execute]) => {
    const [description, argument] = weather.descriptions[name];
    return [name, ai.tool({ description, inputSchema: z.object({ [argument]: z.string() }), execute })];
  });
  return Object.fromEntries(made);
}

export async function ask(telemetry) {
  if (CASE.startsWith("embeddings")) {
    return ai.embedMany({ model: openai.textEmbeddingModel("text-embedding-3-small"), values: ["first text", "second text"], ...telemetry });
  }
  if (CASE.startsWith("structured")) {
    return ai.generateObject({ model, schema: z.object({ city: z.string(), country: z.string() }), prompt: QUESTIONS[0], maxRetries: 0, ...telemetry });
  }
  for (const prompt of QUESTIONS) {
    const options = { model, prompt, system: "You are helpful", maxRetries: 0, stopWhen: ai.stepCountIs(6), ...(TOOLS && { tools: tools() }), ...telemetry };
    if (STREAM) await drain(ai.streamText({ ...options, onError: ({ error }) => { failed = error; } }));
    else await ai.generateText(options);
  }
}

let failed;

async function drain(result) {
  for await (const _ of result.textStream);
  if (failed) throw failed;
}
