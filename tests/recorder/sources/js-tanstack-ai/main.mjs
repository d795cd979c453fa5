import { trace } from "@opentelemetry/api";
import { chat, toolDefinition } from "@tanstack/ai";
import { otelMiddleware } from "@tanstack/ai/middlewares/otel";
import { anthropicText } from "@tanstack/ai-anthropic";
import { openaiChatCompletions, openaiText } from "@tanstack/ai-openai";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, CASE, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

const provider = telemetry.start();
const openai = CASE.startsWith("responses") ? openaiText : openaiChatCompletions;
const adapter = ANTHROPIC ? anthropicText(ANTHROPIC_MODEL) : openai(OPENAI_MODEL, { maxRetries: 0 });
const tools = Object.entries(weather.functions).map(([name, call]) => {
  const [description, argument] = weather.descriptions[name];
  return toolDefinition({ name, description, inputSchema: z.object({ [argument]: z.string() }) }).server(async (input) => call(input));
});
const middleware = [otelMiddleware({ tracer: trace.getTracer("chat-api"), captureContent: true })];

async function ask() {
  for (const content of QUESTIONS) {
    const answer = chat({ adapter, messages: [{ role: "user", content }], systemPrompts: ["You are helpful"], tools: TOOLS ? tools : [], middleware, stream: STREAM });
    if (!STREAM) await answer;
    else for await (const _ of answer);
  }
}

run(ask, () => provider.forceFlush());
