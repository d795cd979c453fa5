//! What attributes mean: the attributes of the conventions that spanmill reads or writes, and a few readings that have
//! no attribute of their own.

use spanmill_otlp::AnyValue;

use crate::options::Conventions;

/// Number of a target in [`TARGETS`].
pub(crate) type Target = u8;

/// The type a target's value must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Str,
    /// A signed integer.
    Int,
    /// A double.
    Double,
    /// A boolean.
    Bool,
    /// An array of strings.
    Strs,
    /// Structured content: text stays as it is, maps and arrays are copied.
    Any,
}

// Targets with a field of their own in a call. Those before `CORE` are written by the engine itself.
pub(crate) const PROVIDER: Target = 0;
pub(crate) const OPERATION: Target = 1;
pub(crate) const REQUEST_MODEL: Target = 2;
pub(crate) const RESPONSE_MODEL: Target = 3;
pub(crate) const RESPONSE_ID: Target = 4;
pub(crate) const FINISH: Target = 5;
pub(crate) const INPUT: Target = 6;
pub(crate) const OUTPUT: Target = 7;
pub(crate) const CACHE_READ: Target = 8;
pub(crate) const CACHE_WRITE: Target = 9;
pub(crate) const REASONING: Target = 10;
pub(crate) const TTFT: Target = 11;
pub(crate) const STREAM: Target = 12;
/// How many targets the engine writes itself.
pub(crate) const CORE: usize = 13;

// Readings without an attribute of the conventions.
pub(crate) const TOTAL: Target = 13;
pub(crate) const HTTP_STATUS: Target = 14;
pub(crate) const ERROR_TYPE: Target = 15;
pub(crate) const ERROR_TEXT: Target = 16;
pub(crate) const TOOL_CALLS: Target = 17;
// Messages, which are read apart from everything else.
pub(crate) const OUTPUT_MESSAGES: Target = 18;
pub(crate) const ROLE: Target = 19;
pub(crate) const SOURCE: Target = 20;

pub(crate) const LEVEL: Target = 21;
pub(crate) const MODEL: Target = 22;
// Attributes of the conventions that are copied, and looked at as well.
pub(crate) const TOOL_NAME: Target = 23;
pub(crate) const TOOL_ARGUMENTS: Target = 24;
pub(crate) const COST: Target = 25;
pub(crate) const SERVICE_TIER: Target = 26;
pub(crate) const REQUEST_TIER: Target = 27;
// Messages as well.
pub(crate) const INPUT_MESSAGES: Target = 28;
pub(crate) const SYSTEM: Target = 29;
pub(crate) const DEFINITIONS: Target = 30;
/// Copied as it is.
pub(crate) const TOOL_RESULT: Target = 31;
// Parts of counts, which matter for prices alone.
pub(crate) const WRITE_1H: Target = 32;
pub(crate) const AUDIO_INPUT: Target = 33;
pub(crate) const AUDIO_OUTPUT: Target = 34;
// What is derived from messages.
pub(crate) const CALLS_COUNT: Target = 35;
pub(crate) const CALLS_NAMES: Target = 36;
pub(crate) const INPUT_BYTES: Target = 37;
pub(crate) const OUTPUT_BYTES: Target = 38;
/// Copied as it is, and looked at: it tells the provider.
pub(crate) const SERVER_ADDRESS: Target = 39;
// More of what matters for prices.
pub(crate) const AUDIO_READ: Target = 40;
pub(crate) const IMAGE_INPUT: Target = 41;
pub(crate) const IMAGE_OUTPUT: Target = 42;
pub(crate) const IMAGE_READ: Target = 43;
pub(crate) const WEB_SEARCHES: Target = 44;
pub(crate) const FILE_SEARCHES: Target = 45;
/// Copied as it is, or put together from documents that were flattened.
pub(crate) const RETRIEVED: Target = 46;
/// How long the call took, where the span is none of that length: a reading.
pub(crate) const TOOK: Target = 47;

/// All targets: the name in source files, and the type. A name with a dot is the attribute that is written.
pub(crate) const TARGETS: &[(&str, Kind)] = &[
    ("gen_ai.provider.name", Kind::Str),
    ("gen_ai.operation.name", Kind::Str),
    ("gen_ai.request.model", Kind::Str),
    ("gen_ai.response.model", Kind::Str),
    ("gen_ai.response.id", Kind::Str),
    ("gen_ai.response.finish_reasons", Kind::Strs),
    ("gen_ai.usage.input_tokens", Kind::Int),
    ("gen_ai.usage.output_tokens", Kind::Int),
    ("gen_ai.usage.cache_read.input_tokens", Kind::Int),
    ("gen_ai.usage.cache_creation.input_tokens", Kind::Int),
    ("gen_ai.usage.reasoning.output_tokens", Kind::Int),
    ("gen_ai.response.time_to_first_chunk", Kind::Double),
    ("gen_ai.request.stream", Kind::Bool),
    ("total_tokens", Kind::Int),
    ("http_status", Kind::Int),
    ("error.type", Kind::Str),
    ("error_text", Kind::Str),
    ("tool_calls", Kind::Any),
    ("gen_ai.output.messages", Kind::Any),
    ("spanmill.usage.role", Kind::Str),
    ("spanmill.source", Kind::Str),
    ("level", Kind::Str),
    ("model", Kind::Str),
    ("gen_ai.tool.name", Kind::Str),
    ("gen_ai.tool.call.arguments", Kind::Any),
    ("gen_ai.usage.cost.amount", Kind::Double),
    ("openai.response.service_tier", Kind::Str),
    ("openai.request.service_tier", Kind::Str),
    ("gen_ai.input.messages", Kind::Any),
    ("gen_ai.system_instructions", Kind::Any),
    ("gen_ai.tool.definitions", Kind::Any),
    ("gen_ai.tool.call.result", Kind::Any),
    ("cache_write_1h", Kind::Int),
    ("gen_ai.usage.audio.input_tokens", Kind::Int),
    ("gen_ai.usage.audio.output_tokens", Kind::Int),
    ("spanmill.tool_calls.count", Kind::Int),
    ("spanmill.tool_calls.names", Kind::Strs),
    ("spanmill.content.input_bytes", Kind::Int),
    ("spanmill.content.output_bytes", Kind::Int),
    ("server.address", Kind::Str),
    ("gen_ai.usage.audio.cache_read.input_tokens", Kind::Int),
    ("gen_ai.usage.image.input_tokens", Kind::Int),
    ("gen_ai.usage.image.output_tokens", Kind::Int),
    ("gen_ai.usage.image.cache_read.input_tokens", Kind::Int),
    ("web_searches", Kind::Int),
    ("file_searches", Kind::Int),
    ("gen_ai.retrieval.documents", Kind::Any),
    ("duration", Kind::Double),
    ("gen_ai.tool.call.id", Kind::Str),
    ("gen_ai.tool.description", Kind::Str),
    ("gen_ai.tool.type", Kind::Str),
    ("gen_ai.conversation.id", Kind::Str),
    ("gen_ai.agent.name", Kind::Str),
    ("gen_ai.agent.id", Kind::Str),
    ("gen_ai.agent.description", Kind::Str),
    ("gen_ai.workflow.name", Kind::Str),
    ("gen_ai.data_source.id", Kind::Str),
    ("gen_ai.prompt.name", Kind::Str),
    ("gen_ai.output.type", Kind::Str),
    ("gen_ai.request.max_tokens", Kind::Int),
    ("gen_ai.request.temperature", Kind::Double),
    ("gen_ai.request.top_p", Kind::Double),
    ("gen_ai.request.top_k", Kind::Double),
    ("gen_ai.retrieval.top_k", Kind::Int),
    ("gen_ai.request.frequency_penalty", Kind::Double),
    ("gen_ai.request.presence_penalty", Kind::Double),
    ("gen_ai.request.seed", Kind::Int),
    ("gen_ai.request.choice.count", Kind::Int),
    ("gen_ai.request.stop_sequences", Kind::Strs),
    ("gen_ai.retrieval.query.text", Kind::Str),
    ("openai.response.system_fingerprint", Kind::Str),
    ("openai.api.type", Kind::Str),
    ("jsonrpc.request.id", Kind::Str),
    ("user.id", Kind::Str),
    ("deployment.environment.name", Kind::Str),
];

/// Whether an attribute of that target, where it is right, is neither read nor written.
pub(crate) fn only_stays(target: Target) -> bool {
    target > DEFINITIONS && target != SERVER_ADDRESS && !is_priced(target)
}

/// Whether a target is a part of a count that has a price of its own.
pub(crate) fn is_priced(target: Target) -> bool {
    matches!(target, AUDIO_INPUT | AUDIO_OUTPUT | AUDIO_READ | IMAGE_INPUT | IMAGE_OUTPUT | IMAGE_READ)
}

/// Whether a target is one of the attributes that hold messages.
pub(crate) fn is_content(target: Target) -> bool {
    matches!(target, OUTPUT_MESSAGES | INPUT_MESSAGES | SYSTEM | DEFINITIONS)
}

/// Whether a target may be flattened to an attribute a value.
pub(crate) fn is_flattened(target: Target) -> bool {
    is_content(target) || matches!(target, RETRIEVED | TOOL_CALLS)
}

/// Whether what a target says is content, rather than a fact about it.
pub(crate) fn holds_content(name: &str) -> bool {
    matches!(target(name), Some(TOOL_ARGUMENTS | TOOL_RESULT | RETRIEVED))
        || target(name).is_some_and(is_content)
        || name == "gen_ai.retrieval.query.text"
}

/// The target with that name.
pub(crate) fn target(name: &str) -> Option<Target> {
    TARGETS.iter().position(|(known, _)| *known == name).map(|at| at as Target)
}

/// Whether a target is an attribute, rather than a reading without one.
pub(crate) fn is_attribute(target: Target) -> bool {
    TARGETS.get(usize::from(target)).is_some_and(|(name, _)| name.contains('.'))
}

/// Names and types of the targets, by the version of the conventions that is written.
#[derive(Debug)]
pub(crate) struct Names(Vec<(&'static str, Kind)>);

/// What the main branch of the conventions names otherwise than v1.41.1.
const MAIN: &[(&str, &str, Kind)] = &[
    ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens", Kind::Int),
    ("gen_ai.request.top_k", "gen_ai.request.top_k", Kind::Int),
];

// === impl Names ===

impl Names {
    pub(crate) fn new(conventions: Conventions) -> Self {
        let changes = if conventions == Conventions::Main { MAIN } else { &[] };
        let change = |(name, kind): &(&'static str, Kind)| {
            let changed = changes.iter().find(|(before, _, _)| before == name);
            changed.map_or((*name, *kind), |(_, name, kind)| (*name, *kind))
        };
        Self(TARGETS.iter().map(change).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// The attribute that a target is written to.
    pub(crate) fn attribute(&self, target: Target) -> &'static str {
        self.0.get(usize::from(target)).map_or("", |(name, _)| name)
    }

    /// The target whose attribute this is.
    pub(crate) fn target(&self, key: &str) -> Option<Target> {
        self.0.iter().position(|(name, _)| *name == key).map(|at| at as Target)
    }

    /// The type of a target.
    pub(crate) fn kind(&self, target: Target) -> Kind {
        self.0.get(usize::from(target)).map_or(Kind::Any, |(_, kind)| *kind)
    }

    /// Whether a value has the type of a target.
    #[inline]
    pub(crate) fn has_type(&self, target: Target, value: AnyValue<'_>) -> bool {
        match self.kind(target) {
            Kind::Str => matches!(value, AnyValue::Text(_)),
            Kind::Int => matches!(value, AnyValue::Int(_)),
            Kind::Double => matches!(value, AnyValue::Double(_)),
            Kind::Bool => matches!(value, AnyValue::Bool(_)),
            Kind::Strs => matches!(value, AnyValue::Array(_)),
            Kind::Any => true,
        }
    }
}
