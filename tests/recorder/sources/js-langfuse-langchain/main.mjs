import { CallbackHandler } from "@langfuse/langchain";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { run } from "./case.mjs";
import { ask } from "./langchain_calls.mjs";
import * as telemetry from "./telemetry.mjs";

const processor = new LangfuseSpanProcessor({ publicKey: "pk-test", secretKey: "sk-test", baseUrl: process.env.OTEL_EXPORTER_OTLP_ENDPOINT });
const provider = telemetry.start([processor]);
run(() => ask({ callbacks: [new CallbackHandler({ userId: "user-42", sessionId: "sess-7" })] }), () => provider.forceFlush());
