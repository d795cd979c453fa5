import { openAI } from "@genkit-ai/compat-oai/openai";
import { googleAI } from "@genkit-ai/google-genai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { genkit, z } from "genkit";
import { enableTelemetry, flushTracing } from "genkit/tracing";
import { CASE, OPENAI_MODEL, QUESTIONS, SCENARIO, STREAM, TOOLS, run } from "./case.mjs";
import * as weather from "./weather.mjs";

await enableTelemetry({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const ai = genkit({ plugins: [openAI({ maxRetries: 0, fetch }), googleAI()] });
const model = CASE.startsWith("gemini") ? googleAI.model("gemini-2.5-flash") : openAI.model(OPENAI_MODEL);
const tools = Object.entries(weather.functions).map(([name, call]) => {
  const [description, argument] = weather.descriptions[name];
  return ai.defineTool({ name, description, inputSchema: z.object({ [argument]: z.string() }), outputSchema: z.string() }, async (input) => call(input));
});

const answer = ai.defineFlow("answer", async (prompt) => {
  const options = { model, prompt, system: "You are helpful", ...(TOOLS && { tools }), ...(SCENARIO !== "reasoning" && { config: { temperature: 0.2 } }) };
  if (!STREAM) return (await ai.generate(options)).text;
  const { stream, response } = ai.generateStream(options);
  for await (const _ of stream);
  return (await response).text;
});

async function ask() {
  if (CASE.startsWith("embeddings")) return ai.embed({ embedder: openAI.embedder("text-embedding-3-small"), content: "a text" });
  for (const question of QUESTIONS) await answer(question);
}

run(ask, () => flushTracing());
