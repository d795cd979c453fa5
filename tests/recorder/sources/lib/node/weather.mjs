// The tools that the models are offered.
export const functions = {
  get_weather: ({ location }) => `18 degrees and sunny in ${location}`,
  search_docs: ({ query }) => `Nothing found for ${query}`,
};
export const descriptions = {
  get_weather: ["Get the current weather at a location.", "location"],
  search_docs: ["Search the company's documents.", "query"],
};
const names = Object.keys(functions);

/** The tool's arguments as JSON schema: each has one, a text. */
export function schema(name) {
  const argument = descriptions[name][1];
  return { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] };
}

export const openaiTools = names.map((name) => ({ type: "function", function: { name, description: descriptions[name][0], parameters: schema(name) } }));
export const anthropicTools = names.map((name) => ({ name, description: descriptions[name][0], input_schema: schema(name) }));
export const bedrockTools = names.map((name) => ({ toolSpec: { name, description: descriptions[name][0], inputSchema: { json: schema(name) } } }));
