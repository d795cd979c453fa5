//! Messages as the GenAI semantic conventions have them (v1.41.1, `docs/gen-ai/gen-ai-{input,output}-messages.json`), and how
//! they are written: JSON text, since SDKs cannot put structures into attributes of spans.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::raw::Object;

/// What a document of a request or of an answer holds.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// Instructions that were given apart from the history.
    pub(crate) system: Vec<Part>,
    pub(crate) messages: Vec<Message>,
    pub(crate) tools: Vec<Tool>,
}

/// One turn; on the output side one choice.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) role: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) parts: Vec<Part>,
    /// Why the model stopped, in the source's word until it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finish_reason: Option<Cow<'static, str>>,
    #[serde(flatten)]
    pub(crate) extra: Extra,
}

/// A piece of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part {
    Text {
        content: String,
        #[serde(flatten)]
        extra: Extra,
    },
    Reasoning {
        content: String,
        #[serde(flatten)]
        extra: Extra,
    },
    ToolCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<Box<RawValue>>,
        #[serde(flatten)]
        extra: Extra,
    },
    ToolCallResponse {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        response: Box<RawValue>,
        #[serde(flatten)]
        extra: Extra,
    },
    /// A tool that the provider runs.
    ServerToolCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        name: String,
        server_tool_call: Typed,
    },
    ServerToolCallResponse {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        server_tool_call_response: Typed,
    },
    /// Data inside the message, in base64.
    Blob {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        modality: Cow<'static, str>,
        content: String,
        #[serde(flatten)]
        extra: Extra,
    },
    /// Data at an address.
    Uri {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        modality: Cow<'static, str>,
        uri: String,
        #[serde(flatten)]
        extra: Extra,
    },
    /// Data that was given to the provider before.
    File {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        modality: Cow<'static, str>,
        file_id: String,
        #[serde(flatten)]
        extra: Extra,
    },
    /// Anything else, as it was.
    #[serde(untagged)]
    Other(Typed),
}

/// An object of any members that has a type.
#[derive(Debug, Serialize)]
pub(crate) struct Typed {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) extra: Extra,
}

/// A tool that the model may call.
#[derive(Debug, Serialize)]
pub(crate) struct Tool {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameters: Option<Box<RawValue>>,
    #[serde(flatten)]
    pub(crate) extra: Extra,
}

/// Members that the conventions do not name: they are kept as they were.
#[derive(Debug, Default)]
pub(crate) struct Extra(Vec<(String, Box<RawValue>)>);

/// Members of the conventions' objects: one of another meaning must not stand beside them.
const RESERVED: &[&str] = &[
    "type",
    "role",
    "parts",
    "name",
    "finish_reason",
    "id",
    "content",
    "arguments",
    "response",
    "modality",
    "mime_type",
    "uri",
    "file_id",
    "description",
    "parameters",
];

// === impl Conversation ===

impl Conversation {
    pub(crate) fn is_empty(&self) -> bool {
        self.system.is_empty() && self.messages.is_empty() && self.tools.is_empty()
    }
}

// === impl Message ===

impl Message {
    pub(crate) fn new(role: impl Into<Cow<'static, str>>, parts: Vec<Part>) -> Self {
        Self { role: role.into(), name: None, parts, finish_reason: None, extra: Extra::default() }
    }

    /// Adds a part; text that goes on is put together.
    pub(crate) fn append(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (Some(Part::Text { content, extra }), Part::Text { content: more, extra: nothing })
                if extra.is_empty() && nothing.is_empty() =>
            {
                content.push_str(&more);
            }
            (_, part) => self.parts.push(part),
        }
    }

    /// Whether there is nothing in it.
    fn is_blank(part: &Part) -> bool {
        matches!(part, Part::Text { content, extra } | Part::Reasoning { content, extra } if content.is_empty() && extra.is_empty())
    }

    /// Removes parts that say nothing, such as a summary of reasoning that was not given.
    pub(crate) fn tidy(&mut self) {
        self.parts.retain(|part| !Self::is_blank(part));
    }

    /// The names of the tools that it asks for.
    pub(crate) fn called_tools(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether a part asks for a tool that the caller runs.
    pub(crate) fn calls_tool(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }))
    }
}

// === impl Part ===

impl Part {
    pub(crate) fn text(content: impl Into<String>) -> Self {
        Self::Text { content: content.into(), extra: Extra::default() }
    }

    pub(crate) fn reasoning(content: impl Into<String>) -> Self {
        Self::Reasoning { content: content.into(), extra: Extra::default() }
    }
}

// === impl Typed ===

impl Typed {
    pub(crate) fn new(kind: impl Into<String>, rest: Object<'_>) -> Self {
        Self { kind: kind.into(), extra: Extra::all(rest, &["type"]) }
    }
}

// === impl Extra ===

impl Extra {
    /// What an object has left once everything that is understood was taken.
    pub(crate) fn of(rest: Object<'_>) -> Self {
        Self::all(rest, RESERVED)
    }

    /// Adds what another object has left.
    pub(crate) fn extend(&mut self, rest: Object<'_>) {
        self.0.extend(Self::of(rest).0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn put(&mut self, name: &str, value: Option<Box<RawValue>>) {
        self.0.extend(value.map(|value| (name.to_owned(), value)));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| &**raw)
    }

    fn all(rest: Object<'_>, reserved: &[&str]) -> Self {
        let kept = rest.rest().filter(|(name, _)| !reserved.contains(&&**name));
        Self(kept.map(|(name, raw)| (name.into_owned(), raw.to_owned())).collect())
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in &self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

/// Text as a JSON value.
pub(crate) fn json_text(text: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(text).ok()
}

/// The JSON value that a text holds, if it holds an object or an array; else the text.
pub(crate) fn json_or_text(text: &str) -> Option<Box<RawValue>> {
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '['])
        && let Ok(raw) = RawValue::from_string(trimmed.to_owned())
    {
        return Some(raw);
    }
    json_text(text)
}
