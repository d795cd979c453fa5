import { AnthropicInstrumentation } from "@arizeai/openinference-instrumentation-anthropic";
import Anthropic from "@anthropic-ai/sdk";
import { ask } from "./anthropic_calls.mjs";
import { run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";

const provider = telemetry.start();
new AnthropicInstrumentation().manuallyInstrument(Anthropic);
run(() => ask(), () => provider.forceFlush());
