//! The sources that spanmill knows from the start.

/// Spellings of words.
pub(crate) const VOCABULARY: &str = include_str!("../vocabulary.yaml");

/// Documents whose members mean the same wherever they stand.
pub(crate) const SHAPES: &str = include_str!("../shapes.yaml");

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../sources/", $name, ".yaml")))),*]
    };
}

/// All source files. The generic one comes first; where spans match several by their attributes, the earlier one wins.
pub(crate) const SOURCES: &[(&str, &str)] = sources![
    "generic",
    "anthropic-sdk-native",
    "otel-botocore",
    "otel-aws-sdk",
    "openai-agents",
    "openinference",
    "traceai",
    "vercel-ai",
    "langfuse",
    "langsmith",
    "mlflow",
    "mastra",
    "claude-code",
    "google-adk",
    "gemini-cli",
    "codex-cli",
    "copilot-cli",
    "strands",
    "pydantic-ai",
    "logfire",
    "genkit",
    "spring-ai",
    "langwatch",
    "braintrust",
    "laminar",
    "langtrace",
    "livekit",
    "voltagent",
    "judgeval",
    "promptflow",
    "trulens",
    "monocle",
    "mirascope",
    "netra",
    "mistral-sdk-native",
    "azure-sdk",
    "any-agent",
    "autogen",
    "fiddler",
    "rig",
    "haystack",
    "llama-index",
    "ag2",
    "dify",
    "crewai",
    "vllm",
    "sglang",
    "tgi",
    "loongsuite",
    "agent-framework",
    "semantic-kernel",
    "litellm",
    "openlit-litellm",
    "openlit",
    "openllmetry",
    "otel-semconv",
    "sentry",
    "datadog",
    "langgraph",
    "bedrock-agentcore",
    "handwritten",
];
