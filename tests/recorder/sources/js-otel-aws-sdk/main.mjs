import { createRequire } from "node:module";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { CASE, MOCK_URL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

const provider = telemetry.start();
registerInstrumentations({ tracerProvider: provider, instrumentations: [new AwsInstrumentation()] });
const bedrock = createRequire(import.meta.url)("@aws-sdk/client-bedrock-runtime");
const modelId = "anthropic.claude-3-5-sonnet-20241022-v2:0";

async function ask() {
  const client = new bedrock.BedrockRuntimeClient({ endpoint: MOCK_URL, maxAttempts: 1, requestHandler: new NodeHttpHandler() });
  for (const question of QUESTIONS) await (CASE.startsWith("invoke") ? invoke : converse)(client, question);
}

async function invoke(client, question) {
  const body = { anthropic_version: "bedrock-2023-05-31", max_tokens: 1024, messages: [{ role: "user", content: question }] };
  await client.send(new bedrock.InvokeModelCommand({ modelId, body: JSON.stringify(body), contentType: "application/json" }));
}

async function converse(client, question) {
  const messages = [{ role: "user", content: [{ text: question }] }];
  for (;;) {
    const wanted = { modelId, messages, system: [{ text: "You are helpful" }], inferenceConfig: { maxTokens: 1024, temperature: 0.2 }, ...(TOOLS && { toolConfig: { tools: weather.bedrockTools } }) };
    if (STREAM) {
      const answer = await client.send(new bedrock.ConverseStreamCommand(wanted));
      for await (const _ of answer.stream);
      return;
    }
    const { message } = (await client.send(new bedrock.ConverseCommand(wanted))).output;
    const calls = message.content.filter((block) => block.toolUse).map((block) => block.toolUse);
    if (!calls.length) return;
    messages.push(message);
    messages.push({ role: "user", content: calls.map((c) => ({ toolResult: { toolUseId: c.toolUseId, content: [{ text: weather.functions[c.name](c.input) }] } })) });
  }
}

run(ask, () => provider.forceFlush());
