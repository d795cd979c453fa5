// Sentry's SDK is made of OpenTelemetry: its spans can go to any collector beside Sentry.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import * as Sentry from "@sentry/node";
import { ANTHROPIC, run } from "./case.mjs";

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
Sentry.init({
  dsn: "https://key@o1.ingest.example.com/1",
  tracesSampleRate: 1,
  sendDefaultPii: true,
  serverName: "chat-api",
  environment: "corpus",
  release: "chat-api@1.4.2",
  openTelemetrySpanProcessors: [processor],
  integrations: [Sentry.openAIIntegration({ recordInputs: true, recordOutputs: true }), Sentry.anthropicAIIntegration({ recordInputs: true, recordOutputs: true })],
});
const { ask } = await import(ANTHROPIC ? "./anthropic_calls.mjs" : "./openai_calls.mjs");
run(() => Sentry.startSpan({ name: "answer", op: "function" }, () => ask()), () => processor.forceFlush());
