import { Agent, tool } from "@strands-agents/sdk";
import { AnthropicModel } from "@strands-agents/sdk/models/anthropic";
import { OpenAIModel } from "@strands-agents/sdk/models/openai";
import { setupTracer } from "@strands-agents/sdk/telemetry";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

const provider = telemetry.start();
setupTracer({ provider });

function model() {
  if (ANTHROPIC) return new AnthropicModel({ modelId: ANTHROPIC_MODEL, maxTokens: 1024, clientConfig: { maxRetries: 0 } });
  return new OpenAIModel({ api: "chat", modelId: OPENAI_MODEL, clientConfig: { maxRetries: 0 } });
}

function tools() {
  return Object.entries(weather.functions).map(([name, callback]) => {
    const [description, argument] = weather.descriptions[name];
    return tool({ name, description, inputSchema: z.object({ [argument]: z.string() }), callback });
  });
}

async function ask() {
  for (const question of QUESTIONS) {
    await new Agent({ name: "weather_agent", model: model(), systemPrompt: "You are helpful", tools: TOOLS ? tools() : [], printer: false, retryStrategy: null }).invoke(question);
  }
}

run(ask, () => provider.forceFlush());
