import { createRequire } from "node:module";
import { ANTHROPIC, run } from "./case.mjs";

const require = createRequire(import.meta.url);
const Openlit = require("openlit").default;
Openlit.init({ applicationName: "chat-api", environment: "corpus", otlpEndpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT, disableBatch: true });
const Client = ANTHROPIC ? require("@anthropic-ai/sdk") : require("openai");
const { ask } = await import(ANTHROPIC ? "./anthropic_calls.mjs" : "./openai_calls.mjs");
run(() => ask(new (Client.default ?? Client)({ maxRetries: 0 })), () => new Promise((done) => setTimeout(done, 3000)));
