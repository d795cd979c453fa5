import { FunctionTool, InMemoryRunner, LlmAgent, StreamingMode } from "@google/adk";
import { z } from "zod";
import { QUESTION, SCENARIO, STREAM, TOOLS, run } from "./case.mjs";
import * as telemetry from "./telemetry.mjs";
import * as weather from "./weather.mjs";

process.env.GEMINI_API_KEY = "test";
const provider = telemetry.start();
const tools = Object.entries(weather.functions).map(([name, execute]) => {
  const [description, argument] = weather.descriptions[name];
  return new FunctionTool({ name, description, parameters: z.object({ [argument]: z.string() }), execute });
});

async function ask() {
  const agent = new LlmAgent({ name: "weather_agent", model: "gemini-2.5-flash", instruction: "You are helpful", tools: TOOLS ? tools : [] });
  const runner = new InMemoryRunner({ agent, appName: "chat" });
  for (let round = 0; round < (SCENARIO === "cache" ? 2 : 1); round += 1) {
    const session = await runner.sessionService.createSession({ appName: "chat", userId: "u1" });
    const newMessage = { role: "user", parts: [{ text: QUESTION }] };
    const runConfig = { streamingMode: STREAM ? StreamingMode.SSE : StreamingMode.NONE };
    for await (const event of runner.runAsync({ userId: "u1", sessionId: session.id, newMessage, runConfig })) {
      if (event.errorCode) console.log(`client exception: ${event.errorCode}`);
    }
  }
}

run(ask, () => provider.forceFlush());
