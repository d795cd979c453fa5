//! The GenAI conventions v1.40.0: attributes that are looked at, and the types of all of them.

/// What is written as schema URL.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.40.0";

pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const PROVIDER: &str = "gen_ai.provider.name";
pub(super) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(super) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(super) const INPUT_MESSAGES: &str = "gen_ai.input.messages";
pub(super) const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
pub(super) const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
pub(super) const TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";
pub(super) const RETRIEVAL_DOCUMENTS: &str = "gen_ai.retrieval.documents";

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Double,
    Bool,
    Strings,
    /// Any value, structures as JSON text: backends refuse an attribute that is text here and a map there.
    Document,
    /// Any value, as it is; so are attributes that the conventions do not know.
    Any,
}

/// Attributes that are not text, and not just any value.
const TYPES: &[(&str, Kind)] = &[
    ("gen_ai.embeddings.dimension.count", Kind::Int),
    ("gen_ai.evaluation.score.value", Kind::Double),
    (INPUT_MESSAGES, Kind::Document),
    (OUTPUT_MESSAGES, Kind::Document),
    ("gen_ai.request.choice.count", Kind::Int),
    ("gen_ai.request.encoding_formats", Kind::Strings),
    ("gen_ai.request.frequency_penalty", Kind::Double),
    ("gen_ai.request.max_tokens", Kind::Int),
    ("gen_ai.request.presence_penalty", Kind::Double),
    ("gen_ai.request.seed", Kind::Int),
    ("gen_ai.request.stop_sequences", Kind::Strings),
    ("gen_ai.request.temperature", Kind::Double),
    ("gen_ai.request.top_k", Kind::Double),
    ("gen_ai.request.top_p", Kind::Double),
    (FINISH_REASONS, Kind::Strings),
    (SYSTEM_INSTRUCTIONS, Kind::Document),
    (TOOL_DEFINITIONS, Kind::Document),
    ("gen_ai.usage.cache_creation.input_tokens", Kind::Int),
    ("gen_ai.usage.cache_read.input_tokens", Kind::Int),
    ("gen_ai.usage.input_tokens", Kind::Int),
    ("gen_ai.usage.output_tokens", Kind::Int),
    // Of v1.41.
    ("gen_ai.request.stream", Kind::Bool),
    ("gen_ai.usage.reasoning.output_tokens", Kind::Int),
];

/// Attributes that are text.
const TEXTS: &[&str] = &[
    "gen_ai.agent.description",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.conversation.id",
    "gen_ai.data_source.id",
    "gen_ai.evaluation.explanation",
    "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.label",
    "gen_ai.operation.name",
    "gen_ai.output.type",
    "gen_ai.prompt.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.retrieval.query.text",
    "gen_ai.token.type",
    "gen_ai.tool.call.id",
    "gen_ai.tool.description",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
];

/// The type of the attribute with that name.
pub(super) fn kind(name: &str) -> Kind {
    if TEXTS.contains(&name) {
        return Kind::Text;
    }
    TYPES.iter().find(|(known, _)| *known == name).map_or(Kind::Any, |(_, kind)| *kind)
}
