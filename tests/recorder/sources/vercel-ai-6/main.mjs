import { run } from "./case.mjs";
import { start } from "./telemetry.mjs";
import { ask } from "./vercel_calls.mjs";

const provider = start();
const telemetry = { isEnabled: true, recordInputs: false, recordOutputs: false, functionId: "answer", metadata: { userId: "u1", sessionId: "s1" } };
run(() => ask({ experimental_telemetry: telemetry }), () => provider.forceFlush());
