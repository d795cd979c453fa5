import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { Agent, createTool, VoltAgentObservability } from "@voltagent/core";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as weather from "./weather.mjs";

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
const observability = new VoltAgentObservability({ serviceName: "chat-api", serviceVersion: "1.4.2", spanProcessors: [processor] });

function tools() {
  return Object.entries(weather.functions).map(([name, execute]) => {
    const [description, argument] = weather.descriptions[name];
    return createTool({ name, description, parameters: z.object({ [argument]: z.string() }), execute });
  });
}

async function ask() {
  const model = ANTHROPIC ? createAnthropic()(ANTHROPIC_MODEL) : createOpenAI().chat(OPENAI_MODEL);
  const agent = new Agent({ name: "weather_agent", instructions: "You are helpful", model, tools: TOOLS ? tools() : [], maxRetries: 0, observability });
  for (const question of QUESTIONS) {
    const options = { userId: "user-42", conversationId: "sess-7", maxRetries: 0 };
    if (STREAM) for await (const _ of (await agent.streamText(question, options)).textStream);
    else await agent.generateText(question, options);
  }
}

run(ask, () => processor.forceFlush());
