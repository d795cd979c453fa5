import { trace } from "@opentelemetry/api";
import { ai, ax } from "@ax-llm/ax";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, SCENARIO, STREAM, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

const provider = telemetry.start();
const tracer = trace.getTracer("chat-api");
const model = ANTHROPIC ? ANTHROPIC_MODEL : OPENAI_MODEL;
const llm = ai({ name: ANTHROPIC ? "anthropic" : "openai", apiKey: "test", config: { model, stream: STREAM }, options: { tracer } });
const functions = Object.entries(weather.functions).map(([name, func]) => ({ name, description: weather.descriptions[name][0], parameters: weather.schema(name), func }));

async function ask() {
  for (const question of QUESTIONS) {
    if (TOOLS) {
      await ax("question:string -> answer:string", { functions }).forward(llm, { question }, { tracer, maxRetries: 0, maxSteps: 8, stream: STREAM });
      continue;
    }
    const answer = await llm.chat({ chatPrompt: [{ role: "system", content: "You are helpful" }, { role: "user", content: question }] }, { stream: STREAM });
    if (STREAM) for await (const _ of answer);
  }
}

run(ask, () => provider.forceFlush());
