//! The built-in sources. Of several attributes that mean the same, the one that tells more stands first, and counts.

use super::conventions as to;

/// What a source is known to write, and what it means.
#[derive(Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) mappings: &'static [Mapping],
    /// What the source calls operations, without regard to case; other words stay as they are.
    pub(super) operations: &'static [(&'static str, &'static str)],
    /// Prefixes of keys that lists were flattened to.
    pub(super) flattened: &'static [(&'static str, &'static str)],
    pub(super) documents: &'static [Document],
    /// An attribute that holds the parameters of the request as JSON.
    pub(super) parameters: Option<&'static str>,
}

/// An attribute whose value is that of another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) when: When,
}

/// An attribute that holds messages, or definitions of tools, as one text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) when: When,
    /// Whether a text that is no document of messages is the content of one.
    pub(super) any_text: bool,
}

/// Which spans something applies to.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Always,
    /// Spans of these operations.
    On(&'static [&'static str]),
    /// Calls of a model that was answered.
    Answered,
}

/// All of them.
pub(super) const BUILTIN: &[Builtin] = &[OPENINFERENCE, OPENLLMETRY];

/// Members of a request's parameters, and the attributes they are.
pub(super) const PARAMETERS: &[(&str, &str)] = &[
    ("model", to::REQUEST_MODEL),
    ("temperature", "gen_ai.request.temperature"),
    ("top_p", "gen_ai.request.top_p"),
    ("top_k", "gen_ai.request.top_k"),
    ("max_completion_tokens", "gen_ai.request.max_tokens"),
    ("max_output_tokens", "gen_ai.request.max_tokens"),
    ("max_tokens", "gen_ai.request.max_tokens"),
    ("frequency_penalty", "gen_ai.request.frequency_penalty"),
    ("presence_penalty", "gen_ai.request.presence_penalty"),
    ("seed", "gen_ai.request.seed"),
    ("n", "gen_ai.request.choice.count"),
    ("stop", "gen_ai.request.stop_sequences"),
    ("stop_sequences", "gen_ai.request.stop_sequences"),
];

/// Operations that call a model with messages.
const MODEL: When = When::On(&["chat", "text_completion", "invoke_agent"]);
const TOOL: When = When::On(&["execute_tool"]);
const RETRIEVAL: When = When::On(&["retrieval"]);

const OPENINFERENCE: Builtin = Builtin {
    name: "openinference",
    mappings: &[
        Mapping::new("openinference.span.kind", to::OPERATION),
        // The host that serves the model tells more than the family of the model.
        Mapping::new("llm.provider", to::PROVIDER),
        Mapping::new("llm.system", to::PROVIDER),
        Mapping::new("llm.model_name", to::REQUEST_MODEL),
        Mapping::new("embedding.model_name", to::REQUEST_MODEL),
        Mapping::new("reranker.model_name", to::REQUEST_MODEL),
        // Instrumentations write the name in the answer over that in the request.
        Mapping { when: When::Answered, ..Mapping::new("llm.model_name", "gen_ai.response.model") },
        Mapping::new("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
        Mapping::new("llm.token_count.completion", "gen_ai.usage.output_tokens"),
        Mapping::new("llm.token_count.prompt_details.cache_read", "gen_ai.usage.cache_read.input_tokens"),
        Mapping::new("llm.token_count.prompt_details.cache_write", "gen_ai.usage.cache_creation.input_tokens"),
        Mapping::new("llm.token_count.completion_details.reasoning", "gen_ai.usage.reasoning.output_tokens"),
        Mapping::new("llm.finish_reason", to::FINISH_REASONS),
        Mapping::new("tool.name", "gen_ai.tool.name"),
        Mapping::new("tool.description", "gen_ai.tool.description"),
        Mapping::new("tool_call.function.arguments", "gen_ai.tool.call.arguments"),
        Mapping { when: TOOL, ..Mapping::new("input.value", "gen_ai.tool.call.arguments") },
        Mapping { when: TOOL, ..Mapping::new("output.value", "gen_ai.tool.call.result") },
        Mapping::new("tool_call.id", "gen_ai.tool.call.id"),
        Mapping { when: RETRIEVAL, ..Mapping::new("input.value", "gen_ai.retrieval.query.text") },
        Mapping::new("agent.name", "gen_ai.agent.name"),
        Mapping::new("session.id", "gen_ai.conversation.id"),
    ],
    operations: &[
        ("llm", "chat"),
        ("embedding", "embeddings"),
        ("chain", "invoke_agent"),
        ("retriever", "retrieval"),
        ("reranker", "retrieval"),
        ("tool", "execute_tool"),
        ("agent", "invoke_agent"),
        ("prompt", "text_completion"),
    ],
    flattened: &[
        ("llm.input_messages", to::INPUT_MESSAGES),
        ("llm.prompts", to::INPUT_MESSAGES),
        ("llm.output_messages", to::OUTPUT_MESSAGES),
        ("llm.choices", to::OUTPUT_MESSAGES),
        ("llm.tools", to::TOOL_DEFINITIONS),
        ("retrieval.documents", to::RETRIEVAL_DOCUMENTS),
    ],
    documents: &[
        Document::new("llm.input_messages", to::INPUT_MESSAGES),
        Document::new("llm.output_messages", to::OUTPUT_MESSAGES),
        Document { when: MODEL, ..Document::new("input.value", to::INPUT_MESSAGES) },
        Document { when: MODEL, ..Document::new("output.value", to::OUTPUT_MESSAGES) },
    ],
    parameters: Some("llm.invocation_parameters"),
};

const OPENLLMETRY: Builtin = Builtin {
    name: "openllmetry",
    mappings: &[
        // What a call is tells more than what it is done for.
        Mapping::new("llm.request.type", to::OPERATION),
        Mapping::new("traceloop.span.kind", to::OPERATION),
        Mapping::new("gen_ai.system", to::PROVIDER),
        Mapping::new("llm.request.model", to::REQUEST_MODEL),
        Mapping::new("llm.response.model", "gen_ai.response.model"),
        Mapping::new("llm.request.max_tokens", "gen_ai.request.max_tokens"),
        Mapping::new("llm.request.temperature", "gen_ai.request.temperature"),
        Mapping::new("llm.request.top_p", "gen_ai.request.top_p"),
        Mapping::new("llm.top_k", "gen_ai.request.top_k"),
        Mapping::new("llm.frequency_penalty", "gen_ai.request.frequency_penalty"),
        Mapping::new("llm.presence_penalty", "gen_ai.request.presence_penalty"),
        Mapping::new("llm.chat.stop_sequences", "gen_ai.request.stop_sequences"),
        Mapping::new("llm.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
        Mapping::new("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
        Mapping::new("llm.usage.completion_tokens", "gen_ai.usage.output_tokens"),
        Mapping::new("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
        Mapping::new("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens"),
        Mapping::new("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        Mapping::new("gen_ai.usage.reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"),
        Mapping::new("llm.response.finish_reason", to::FINISH_REASONS),
        Mapping::new("llm.response.stop_reason", to::FINISH_REASONS),
        Mapping::new("traceloop.entity.name", "gen_ai.agent.name"),
    ],
    operations: &[
        ("workflow", "invoke_workflow"),
        ("task", "invoke_agent"),
        ("agent", "invoke_agent"),
        ("tool", "execute_tool"),
        ("completion", "text_completion"),
        ("chat", "chat"),
        ("rerank", "retrieval"),
        ("embedding", "embeddings"),
    ],
    flattened: &[
        ("gen_ai.prompt", to::INPUT_MESSAGES),
        ("gen_ai.completion", to::OUTPUT_MESSAGES),
        ("llm.request.functions", to::TOOL_DEFINITIONS),
    ],
    documents: &[
        Document { any_text: true, ..Document::new("traceloop.entity.input", to::INPUT_MESSAGES) },
        Document { any_text: true, ..Document::new("traceloop.entity.output", to::OUTPUT_MESSAGES) },
        Document::new("llm.request.functions", to::TOOL_DEFINITIONS),
    ],
    parameters: None,
};

/// The built-in source of that name.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTIN.iter().find(|builtin| builtin.name == name)
}

// === impl Mapping ===

impl Mapping {
    const fn new(from: &'static str, to: &'static str) -> Self {
        Self { from, to, when: When::Always }
    }
}

// === impl Document ===

impl Document {
    const fn new(from: &'static str, to: &'static str) -> Self {
        Self { from, to, when: When::Always, any_text: false }
    }
}
