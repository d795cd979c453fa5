import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as weather from "./weather.mjs";

const exporter = new OtelExporter({
  provider: { custom: { endpoint: `${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`, protocol: "http/protobuf" } },
});
const model = ANTHROPIC ? createAnthropic()(ANTHROPIC_MODEL) : createOpenAI().chat(OPENAI_MODEL);
const tools = Object.fromEntries(
  Object.entries(weather.functions).map(([id, call]) => {
    const [description, argument] = weather.descriptions[id];
    const inputSchema = z.object({ [argument]: z.string() });
    return [id, createTool({ id, description, inputSchema, execute: async (input) => call(input) })];
  }),
);
const agent = new Agent({ id: "weather_agent", name: "weather_agent", instructions: "You are helpful", model, tools: TOOLS ? tools : {}, maxRetries: 0 });
const mastra = new Mastra({
  agents: { weather_agent: agent },
  logger: false,
  observability: new Observability({ configs: { otel: { serviceName: "chat-api", exporters: [exporter] } } }),
});

async function ask() {
  for (const question of QUESTIONS) {
    const one = mastra.getAgent("weather_agent");
    if (STREAM) for await (const _ of (await one.stream(question)).textStream);
    else await one.generate(question);
  }
}

run(ask, async () => {
  await mastra.observability?.shutdown?.();
  await mastra.shutdown?.();
});
