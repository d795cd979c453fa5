import * as traceloop from "@traceloop/node-server-sdk";
import { createRequire } from "node:module";
import { run } from "./case.mjs";

const require = createRequire(import.meta.url);
traceloop.initialize({
  appName: "chat-api",
  baseUrl: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
  apiKey: "test",
  disableBatch: true,
  silenceInitializationMessage: true,
  instrumentModules: { langchain: { callbackManagerModule: require("@langchain/core/callbacks/manager") } },
});
const { ask } = await import("./langchain_calls.mjs");
run(() => ask(), () => traceloop.forceFlush());
