//! The schema of source files: what is known about one instrumentation. `sources/README.md` is its reference.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One instrumentation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceFile {
    /// What `spanmill.source` says.
    pub(crate) name: String,
    /// What it is, for people.
    #[serde(default)]
    #[expect(dead_code, reason = "documentation that every file must carry")]
    about: String,
    #[serde(default)]
    pub(crate) recognise: Recognise,
    #[serde(default)]
    pub(crate) attributes: Vec<Mapping>,
    /// Documents of messages that stand in one attribute a value.
    #[serde(default)]
    pub(crate) flattened: Vec<Flattened>,
    /// Names of events whose attributes are read as if they were the span's own.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    #[serde(default)]
    pub(crate) spans: Vec<SpanRule>,
    #[serde(default)]
    pub(crate) provider: ProviderRule,
    #[serde(default)]
    pub(crate) operation: OperationRule,
    #[serde(default)]
    pub(crate) usage: UsageRule,
    #[serde(default)]
    pub(crate) time_to_first_token: TtftRule,
    /// Scopes whose spans say the model of the request where they do not know which one answered: a regular expression.
    pub(crate) response_model_copied_by: Option<String>,
    /// Scopes whose names of models begin with LiteLLM's word for the provider: a regular expression.
    pub(crate) models_routed_by: Option<String>,
    /// The makers in front of the name that answered are cut off.
    #[serde(default)]
    pub(crate) answers_without_maker: bool,
    /// `stop` is written also where the model called a tool.
    #[serde(default)]
    pub(crate) always_stops: bool,
    /// The model that answered is written as the one that was asked for.
    #[serde(default)]
    pub(crate) answers_as_request_model: bool,
}

/// How its spans are known. A scope decides before an attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Recognise {
    /// Regular expressions for the name of the scope.
    pub(crate) scopes: Vec<String>,
    /// A regular expression for the version of the scope, where the name alone is not enough.
    pub(crate) versions: Option<String>,
    /// Attributes of which one is enough.
    pub(crate) markers: Vec<String>,
    /// Events that only it writes, where nothing else tells.
    pub(crate) events: Vec<String>,
    /// Attributes that tell by their value.
    pub(crate) equals: BTreeMap<String, String>,
    /// Its scopes and markers stand on other spans too: a span is one of GenAI only where something else tells.
    pub(crate) mixed: bool,
}

/// What attributes mean. The order in the file is the precedence; an attribute of the conventions comes first, unless
/// it is listed itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    pub(crate) from: OneOrMany,
    /// A target. Absent where `members` says it.
    pub(crate) to: Option<String>,
    #[serde(default, rename = "as")]
    pub(crate) unit: Unit,
    /// The value is JSON (or the text of a Python dict): what its members mean.
    #[serde(default)]
    pub(crate) members: Vec<Member>,
    /// The value is that member of a document which several attributes make up.
    pub(crate) member: Option<String>,
    /// Only where the main branch of the conventions is written.
    #[serde(default)]
    pub(crate) main: bool,
    /// The value is JSON of these shapes, which `shapes.yaml` lists.
    #[serde(default)]
    pub(crate) shapes: Vec<String>,
    /// Where in the JSON the members and shapes stand, if not at its top: paths, of which each is tried.
    #[serde(default)]
    pub(crate) under: Vec<String>,
    /// Only on spans of these operations.
    #[serde(default)]
    pub(crate) when: Vec<String>,
    /// What the span was given, and not its own doing.
    #[serde(default)]
    pub(crate) given: bool,
    /// The key means this for this source only, although it has a namespace.
    #[serde(default)]
    pub(crate) local: bool,
}

/// Attributes such as `gen_ai.prompt.0.content` that make up one document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flattened {
    /// What stands before the number.
    pub(crate) prefix: String,
    pub(crate) to: String,
}

/// Documents whose members mean the same wherever they stand, by name.
pub(crate) type Shapes = BTreeMap<String, Vec<Member>>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// Keys and array positions, separated by `/`.
    pub(crate) at: String,
    pub(crate) to: String,
    #[serde(default, rename = "as")]
    pub(crate) unit: Unit,
}

/// What a number or text is to be read as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// As it is; numbers in text are read, seconds for times.
    #[default]
    Plain,
    /// Milliseconds.
    Milliseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// An ISO 8601 instant, possibly in quotes, or a number since 1970; read as seconds since the start of the span.
    Instant,
    /// Milliseconds since 1970; read as seconds since the start of the span.
    EpochMilliseconds,
    /// Text in JSON, with its quotes.
    JsonText,
    /// A URL, of which the host is read.
    Host,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// What a span name says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpanRule {
    /// A regular expression.
    pub(crate) name: String,
    pub(crate) operation: String,
    /// Whether it is believed before an attribute.
    #[serde(default)]
    pub(crate) overrides: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProviderRule {
    /// Where nothing else says it.
    pub(crate) default: Option<String>,
    /// Spellings that mean something else here.
    pub(crate) values: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OperationRule {
    /// Of spans that name a model and no operation.
    pub(crate) default: Option<String>,
    /// Spellings that mean something else here.
    pub(crate) values: BTreeMap<String, String>,
}

/// Whether counts include their parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Inclusion {
    /// The parts are inside.
    Inclusive,
    /// The parts are extra.
    Exclusive,
    /// The parts are inside, and were added once more: reasoning that stands under the standard name.
    Twice,
    /// Decided span by span.
    #[default]
    Unknown,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UsageRule {
    /// Cache counts inside the input count?
    pub(crate) input: Inclusion,
    pub(crate) input_by_provider: BTreeMap<String, Inclusion>,
    /// Reasoning inside the output count? Unknown means yes.
    pub(crate) output: Inclusion,
    pub(crate) output_by_provider: BTreeMap<String, Inclusion>,
    /// The counts of a later call include those of the calls before it that lie below the same span.
    pub(crate) running_totals: bool,
    /// The total is computed by the instrumentation and proves nothing.
    pub(crate) total_proves_nothing: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TtftRule {
    /// Names of span events that mark the first token.
    pub(crate) events: Vec<String>,
    /// What calls that did not stream say is their duration.
    pub(crate) only_streaming: bool,
    /// The value was not measured at the first token.
    pub(crate) weak: bool,
}

// === impl OneOrMany ===

impl OneOrMany {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}
