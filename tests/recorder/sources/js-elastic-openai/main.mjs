import { createRequire } from "node:module";
import { OpenAIInstrumentation } from "@elastic/opentelemetry-instrumentation-openai";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { run } from "./case.mjs";
import { start } from "./telemetry.mjs";

const provider = start();
registerInstrumentations({ tracerProvider: provider, instrumentations: [new OpenAIInstrumentation({ captureMessageContent: true })] });
const OpenAI = createRequire(import.meta.url)("openai");
const { ask } = await import("./openai_calls.mjs");
run(() => ask(new OpenAI({ maxRetries: 0, fetch })), () => provider.forceFlush());
