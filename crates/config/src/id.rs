//! Names of components, signals and pipelines.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// The longest type of a component, in characters.
const MAX_TYPE_LENGTH: usize = 63;
/// The longest name of a component, in bytes.
const MAX_NAME_LENGTH: usize = 1024;

/// The name of one configured component: `type` or `type/name`.
///
/// The type begins with a letter and goes on with letters, digits and underscores, 63 characters at most. The name has 1 to
/// 1024 bytes, none of them a space, a control character or a symbol (punctuation is fine).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct ComponentId {
    kind: String,
    name: String,
}

/// What a component does; the top-level keys of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Takes telemetry in.
    Receiver,
    /// Changes it.
    Processor,
    /// Sends it out.
    Exporter,
    /// Exporter of one pipeline, receiver of another.
    Connector,
    /// Anything that is not part of a pipeline.
    Extension,
}

/// What kind of telemetry a pipeline carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metric points.
    Metrics,
    /// Log records.
    Logs,
}

/// The name of a pipeline: `signal` or `signal/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct PipelineId {
    signal: Signal,
    name: String,
}

/// Why a text is not the name of a component or a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("id must not be empty")]
    Empty,
    /// `/name` without a type.
    #[error("in {0:?} id: the part before / should not be empty")]
    EmptyType(String),
    /// `type/` without a name.
    #[error("in {0:?} id: the part after / should not be empty")]
    EmptyName(String),
    /// The type has characters that types cannot have.
    #[error(
        "in {0:?} id: invalid type {1:?}: a type begins with a letter and has letters, digits and underscores, 63 characters at most"
    )]
    InvalidType(String, String),
    /// The name has characters that names cannot have.
    #[error(
        "in {0:?} id: invalid name {1:?}: a name has 1 to 1024 bytes, none of them a space, a control character or a symbol"
    )]
    InvalidName(String, String),
    /// A pipeline of an unknown signal.
    #[error("in {0:?} id: unknown signal {1:?} (valid signals: traces, metrics, logs)")]
    UnknownSignal(String, String),
}

// === impl ComponentId ===

impl ComponentId {
    /// An id from its parts; an empty `name` means none.
    ///
    /// # Errors
    ///
    /// Fails when a part has characters that it cannot have.
    pub fn new(kind: &str, name: &str) -> Result<Self, IdError> {
        let text = if name.is_empty() { kind.to_owned() } else { format!("{kind}/{name}") };
        text.parse()
    }

    /// The type, as the user wrote it (aliases are not resolved).
    pub fn type_name(&self) -> &str {
        &self.kind
    }

    /// What stands after the slash; empty when there is none.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ComponentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (kind, name) = split_id(text)?;
        if !is_type(kind) {
            return Err(IdError::InvalidType(text.to_owned(), kind.to_owned()));
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, &self.kind, &self.name)
    }
}

impl From<ComponentId> for String {
    fn from(id: ComponentId) -> Self {
        id.to_string()
    }
}

impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdVisitor(std::marker::PhantomData))
    }
}

// === impl Kind ===

impl Kind {
    /// All kinds, in the order of the configuration's top-level keys.
    pub const ALL: [Self; 5] = [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// The top-level key: `receivers`, `processors`, ...
    pub fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Connector => "connector",
            Self::Extension => "extension",
        })
    }
}

// === impl Signal ===

impl Signal {
    /// All signals.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// `traces`, `metrics` or `logs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl PipelineId ===

impl PipelineId {
    /// What the pipeline carries.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What stands after the slash; empty when there is none.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for PipelineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (signal, name) = split_id(text)?;
        let known = Signal::ALL.into_iter().find(|known| known.as_str() == signal);
        let Some(signal) = known else {
            return Err(IdError::UnknownSignal(text.to_owned(), signal.to_owned()));
        };
        Ok(Self { signal, name: name.to_owned() })
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, self.signal.as_str(), &self.name)
    }
}

impl From<PipelineId> for String {
    fn from(id: PipelineId) -> Self {
        id.to_string()
    }
}

impl<'de> Deserialize<'de> for PipelineId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdVisitor(std::marker::PhantomData))
    }
}

/// Reads any id from text. `deserialize_str` (not `_string`) is asked for, so that a comma list is not split into ids.
struct IdVisitor<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = IdError>> serde::de::Visitor<'_> for IdVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Splits `type/name`, spaces around both parts removed, and checks the name.
fn split_id(text: &str) -> Result<(&str, &str), IdError> {
    let (kind, name) = match text.split_once('/') {
        Some((kind, name)) => (kind.trim(), Some(name.trim())),
        None => (text.trim(), None),
    };
    if kind.is_empty() {
        return Err(if name.is_some() { IdError::EmptyType(text.to_owned()) } else { IdError::Empty });
    }
    match name {
        None => Ok((kind, "")),
        Some("") => Err(IdError::EmptyName(text.to_owned())),
        Some(name) if is_name(name) => Ok((kind, name)),
        Some(name) => Err(IdError::InvalidName(text.to_owned(), name.to_owned())),
    }
}

fn is_type(text: &str) -> bool {
    text.len() <= MAX_TYPE_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
}

fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME_LENGTH && text.chars().all(is_name_character)
}

/// Letters, marks, numbers and punctuation; not separators, control and other characters, or symbols.
fn is_name_character(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric()
            || (character.is_ascii_punctuation() && !"$+<=>^`|~".contains(character));
    }
    static NOT_IN_NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\pZ\pC\pS]$").ok());
    let mut buffer = [0; 4];
    let text = character.encode_utf8(&mut buffer);
    NOT_IN_NAMES.as_ref().is_some_and(|pattern| !pattern.is_match(text))
}

fn write_id(f: &mut fmt::Formatter<'_>, first: &str, name: &str) -> fmt::Result {
    f.write_str(first)?;
    if name.is_empty() { Ok(()) } else { write!(f, "/{name}") }
}

#[cfg(test)]
mod tests {
    use super::{ComponentId, PipelineId, Signal};

    /// Scenario: names of components at the borders of what is allowed.
    /// Guarantees: type and name are told apart, spaces around them removed.
    #[test]
    fn accepted_ids() {
        let long_name = "n".repeat(1024);
        for (text, kind, name) in [
            ("otlp", "otlp", ""),
            (" otlp / a ", "otlp", "a"),
            ("otlp/a/b", "otlp", "a/b"),
            ("o_1/a-b_c.d!#%&*()[]{}@:;'\",?\\", "o_1", "a-b_c.d!#%&*()[]{}@:;'\",?\\"),
            ("otlp/\u{e9}\u{4e2d}\u{2014}", "otlp", "\u{e9}\u{4e2d}\u{2014}"),
            (&format!("a/{long_name}"), "a", &long_name),
        ] {
            let id: ComponentId = text.parse().unwrap();
            assert_eq!((id.type_name(), id.name()), (kind, name), "{text}");
        }
        assert_eq!(ComponentId::new("otlp", "x").unwrap().to_string(), "otlp/x");
        assert_eq!(ComponentId::new("otlp", "").unwrap().to_string(), "otlp");
    }

    /// Scenario: names that break the rules.
    /// Guarantees: refused.
    #[test]
    fn refused_ids() {
        let long_type = "t".repeat(64);
        let long_name = format!("a/{}", "n".repeat(1025));
        let texts = [
            "",
            " ",
            "/a",
            "a/",
            "a/ ",
            "1a",
            "_a",
            "a-b",
            "a b",
            "a/b c",
            "a/b+c",
            "a/$b",
            "a/\u{20ac}",
            "a/\u{1f600}",
            "a/y\u{a0}x",
        ];
        for text in texts.into_iter().chain([long_type.as_str(), long_name.as_str()]) {
            assert!(text.parse::<ComponentId>().is_err(), "{text}");
        }
    }

    /// Scenario: names of pipelines.
    /// Guarantees: only known signals, in lower case.
    #[test]
    fn pipelines() {
        let id: PipelineId = "traces/in".parse().unwrap();
        assert_eq!((id.signal(), id.name(), id.to_string().as_str()), (Signal::Traces, "in", "traces/in"));
        assert!("Traces".parse::<PipelineId>().is_err());
        assert!("profiles".parse::<PipelineId>().is_err());
        assert!("traces/".parse::<PipelineId>().is_err());
    }
}
