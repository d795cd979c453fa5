import { OpenInferenceBatchSpanProcessor } from "@arizeai/openinference-vercel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import { ask } from "./vercel_calls.mjs";

const provider = telemetry.start([new OpenInferenceBatchSpanProcessor({ exporter: new OTLPTraceExporter() })]);
run(() => ask({ experimental_telemetry: { isEnabled: true, functionId: "answer" } }), () => provider.forceFlush());
