import { LangWatchCallbackHandler } from "langwatch/observability/instrumentation/langchain";
import { run } from "./case.mjs";
import { ask } from "./langchain_calls.mjs";
import * as telemetry from "./telemetry.mjs";

const provider = telemetry.start();
run(() => ask({ callbacks: [new LangWatchCallbackHandler()] }), () => provider.forceFlush());
