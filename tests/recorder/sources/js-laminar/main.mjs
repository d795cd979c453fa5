import { Laminar, observe } from "@lmnr-ai/lmnr";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import OpenAI from "openai";
import { run } from "./case.mjs";
import { ask } from "./openai_calls.mjs";

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
Laminar.initialize({ projectApiKey: "test", instrumentModules: { openAI: OpenAI }, spanProcessor: processor });
run(() => observe({ name: "answer" }, ask), () => processor.forceFlush());
