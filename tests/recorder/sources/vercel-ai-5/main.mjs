import { run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import { ask } from "./vercel_calls.mjs";

const provider = telemetry.start();
run(() => ask({ experimental_telemetry: { isEnabled: true, functionId: "answer" } }), () => provider.forceFlush());
