import { AgentBuilder, createTool, telemetryService } from "@iqai/adk";
import { z } from "zod";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, TOOLS, run } from "./case.mjs";
import * as weather from "./weather.mjs";

telemetryService.initialize({ appName: "chat-api", appVersion: "1.4.2", environment: "corpus", otlpEndpoint: `${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces` });
const tools = Object.entries(weather.functions).map(([name, fn]) => {
  const [description, argument] = weather.descriptions[name];
  return createTool({ name, description, schema: z.object({ [argument]: z.string() }), fn });
});

async function ask() {
  for (const question of QUESTIONS) {
    const agent = AgentBuilder.withModel(ANTHROPIC ? ANTHROPIC_MODEL : OPENAI_MODEL).withInstruction("You are helpful");
    await (TOOLS ? agent.withTools(...tools) : agent).ask(question);
  }
}

run(ask, () => telemetryService.shutdown());
