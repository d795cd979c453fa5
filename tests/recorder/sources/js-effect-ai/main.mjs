import * as AnthropicClient from "@effect/ai-anthropic/AnthropicClient";
import * as AnthropicLanguageModel from "@effect/ai-anthropic/AnthropicLanguageModel";
import * as OpenAiClient from "@effect/ai-openai/OpenAiClient";
import * as OpenAiLanguageModel from "@effect/ai-openai/OpenAiLanguageModel";
import * as Chat from "@effect/ai/Chat";
import * as LanguageModel from "@effect/ai/LanguageModel";
import * as Tool from "@effect/ai/Tool";
import * as Toolkit from "@effect/ai/Toolkit";
import * as Tracer from "@effect/opentelemetry/Tracer";
import * as Resource from "@effect/opentelemetry/Resource";
import * as FetchHttpClient from "@effect/platform/FetchHttpClient";
import { Effect, Layer, Redacted, Schema, Stream } from "effect";
import { ANTHROPIC, ANTHROPIC_MODEL, OPENAI_MODEL, QUESTIONS, STREAM, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

const provider = telemetry.start();
const apiKey = Redacted.make("test");
const client = (ANTHROPIC ? AnthropicClient : OpenAiClient).layer({ apiKey }).pipe(Layer.provide(FetchHttpClient.layer));
const model = (ANTHROPIC ? AnthropicLanguageModel.model(ANTHROPIC_MODEL) : OpenAiLanguageModel.model(OPENAI_MODEL));
const tracing = Tracer.layerGlobal.pipe(Layer.provide(Resource.layer({ serviceName: "chat-api" })));
const tools = Object.keys(weather.functions).map((name) =>
  Tool.make(name, { description: weather.descriptions[name][0], parameters: { [weather.descriptions[name][1]]: Schema.String }, success: Schema.String }));
const toolkit = Toolkit.make(...tools);
const handlers = toolkit.toLayer(Object.fromEntries(Object.entries(weather.functions).map(([name, call]) => [name, (input) => Effect.succeed(call(input))])));

const answer = (prompt) => Effect.gen(function* () {
  if (STREAM) return yield* Stream.runDrain(LanguageModel.streamText({ prompt }));
  if (!TOOLS) return yield* LanguageModel.generateText({ prompt });
  const chat = yield* Chat.fromPrompt([{ role: "system", content: "You are helpful" }]);
  let said = yield* chat.generateText({ prompt, toolkit });
  while (said.toolCalls.length) said = yield* chat.generateText({ prompt: [], toolkit });
});

async function ask() {
  for (const question of QUESTIONS) {
    await Effect.runPromise(answer(question).pipe(Effect.withSpan("answer"), Effect.provide(model), Effect.provide(handlers), Effect.provide(client), Effect.provide(tracing)));
  }
}

run(ask, () => provider.forceFlush());
