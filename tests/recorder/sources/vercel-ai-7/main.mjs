import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { registerTelemetry } from "ai";
import { SETTING, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import { ask } from "./vercel_calls.mjs";

const provider = telemetry.start();
registerTelemetry(SETTING === "legacy" ? new LegacyOpenTelemetry() : new OpenTelemetry());
run(() => ask({ telemetry: { isEnabled: true, functionId: "answer" } }), () => provider.forceFlush());
