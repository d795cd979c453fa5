import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { Client } from "langsmith";
import { initializeOTEL } from "langsmith/experimental/otel/setup";
import { traceable } from "langsmith/traceable";
import { wrapOpenAI } from "langsmith/wrappers/openai";
import OpenAI from "openai";
import { run } from "./case.mjs";
import { ask } from "./openai_calls.mjs";
import { resource } from "./telemetry.mjs";

const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
initializeOTEL({ globalTracerProvider: provider });
provider.register();
const client = new Client();
const answer = traceable(() => ask(wrapOpenAI(new OpenAI({ maxRetries: 0 }), { client })), { name: "answer", client });

run(answer, async () => {
  await client.awaitPendingTraceBatches();
  await provider.forceFlush();
});
