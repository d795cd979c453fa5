// The Anthropic client as applications use it.
import Anthropic from "@anthropic-ai/sdk";
import { ANTHROPIC_MODEL, DOCUMENT, QUESTION, SCENARIO, STREAM, TOOLS } from "./case.mjs";
import * as weather from "./weather.mjs";

export async function ask(client = new Anthropic({ maxRetries: 0 })) {
  const questions = SCENARIO === "cache" ? ["When does the contract end?", "What is the notice period?"] : [QUESTION];
  for (const question of questions) await talk(client, question);
}

function request() {
  const wanted = { model: ANTHROPIC_MODEL, max_tokens: SCENARIO === "max_tokens" ? 16 : 1024, system: "You are helpful" };
  if (TOOLS) wanted.tools = weather.anthropicTools;
  if (SCENARIO === "reasoning") Object.assign(wanted, { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2048 });
  if (SCENARIO === "cache") wanted.system = [{ type: "text", text: DOCUMENT, cache_control: { type: "ephemeral" } }];
  return wanted;
}

async function talk(client, question) {
  const messages = [{ role: "user", content: question }];
  for (;;) {
    const answer = await client.messages.create({ ...request(), messages, stream: STREAM });
    if (STREAM) {
      for await (const _ of answer);
      return;
    }
    const calls = answer.content.filter((block) => block.type === "tool_use");
    if (!calls.length) return;
    messages.push({ role: "assistant", content: answer.content });
    messages.push({ role: "user", content: calls.map((c) => ({ type: "tool_result", tool_use_id: c.id, content: weather.functions[c.name](c.input) })) });
  }
}
