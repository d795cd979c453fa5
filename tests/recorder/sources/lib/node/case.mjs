// Which case is recorded, and how its end is told to the recorder.
export const { CASE, SCENARIO, SETTING, MOCK_URL } = process.env;

export const STREAM = CASE.includes("stream");
export const TOOLS = SCENARIO.includes("tool");
export const ANTHROPIC = CASE.startsWith("anthropic");
export const QUESTION = TOOLS ? "What is the weather in Paris?" : "What is the capital of France?";
// The document of the scenario `cache`: long enough for a provider to cache it.
export const DOCUMENT = "This is the contract between the landlord and the tenant. ".repeat(40);
export const QUESTIONS = SCENARIO === "cache" ? [`${DOCUMENT}\nWhen does it end?`, `${DOCUMENT}\nWhat is the notice period?`] : [QUESTION];
export const OPENAI_MODEL = SCENARIO === "reasoning" ? "o4-mini" : "gpt-4o";
export const ANTHROPIC_MODEL = "claude-sonnet-4-5";

/** Asks, tells of an exception by its class, and exports what is left (`flush`). */
export async function run(ask, flush) {
  try {
    await ask();
  } catch (error) {
    console.log(`client exception: ${error.constructor.name}`);
    console.log(String(error.stack ?? error).slice(0, 2000));
  }
  await flush();
  process.exit(0);
}
