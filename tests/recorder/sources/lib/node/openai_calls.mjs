// The OpenAI client as applications use it. The case's name says which API: responses_*, embeddings*, otherwise chat.
import OpenAI from "openai";
import { CASE, OPENAI_MODEL, QUESTIONS, SCENARIO, STREAM, TOOLS } from "./case.mjs";
import * as weather from "./weather.mjs";

export async function ask(client = new OpenAI({ maxRetries: 0 })) {
  if (CASE.startsWith("embeddings")) return client.embeddings.create({ model: "text-embedding-3-small", input: "a text" });
  for (const question of QUESTIONS) await (CASE.startsWith("responses") ? responses : chat)(client, question);
}

async function responses(client, question) {
  const answer = await client.responses.create({ model: OPENAI_MODEL, instructions: "You are helpful", input: question, stream: STREAM });
  if (STREAM) for await (const _ of answer);
}

async function chat(client, question) {
  const messages = [{ role: "system", content: "You are helpful" }, { role: "user", content: question }];
  for (;;) {
    const answer = await client.chat.completions.create({
      model: OPENAI_MODEL,
      messages,
      ...(SCENARIO === "reasoning" ? { reasoning_effort: "medium" } : { temperature: 0.2 }),
      ...(TOOLS && { tools: weather.openaiTools }),
      ...(STREAM && { stream: true, stream_options: { include_usage: true } }),
    });
    if (STREAM) {
      for await (const _ of answer);
      return;
    }
    const { message } = answer.choices[0];
    if (!message.tool_calls?.length) return;
    messages.push(message);
    for (const call of message.tool_calls) {
      messages.push({ role: "tool", tool_call_id: call.id, content: weather.functions[call.function.name](JSON.parse(call.function.arguments)) });
    }
  }
}
