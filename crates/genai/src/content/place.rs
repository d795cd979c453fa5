//! Where texts stand in a document, and what that tells of them.

/// What a value is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Messages, requests, answers: some texts in them are their structure.
    Structure,
    /// Arguments and results of tools: all is content.
    Payload,
    /// The JSON schema of a tool's parameters: only what describes them is content.
    Schema,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The member that it, or the list that it is in, belongs to.
    pub(super) key: &'a str,
    pub(super) mode: Mode,
    /// How deep.
    pub(super) depth: u8,
}

/// What lies deeper is taken for one text.
pub(super) const DEEPEST: u8 = 32;

/// Members whose values all is content.
const PAYLOADS: &[&str] = &["arguments", "args", "response", "input", "result"];

/// Members that hold the JSON schema of parameters.
const SCHEMAS: &[&str] =
    &["parameters", "input_schema", "inputSchema", "json_schema", "schema", "parameters_json_schema"];

/// Members of a schema that describe.
const DESCRIBING: &[&str] = &["description", "title", "default", "example", "examples", "const", "enum", "$comment"];

/// Members that tell what something is, not what is said in it.
const STRUCTURAL: &[&str] = &[
    "type",
    "role",
    "id",
    "name",
    "finish_reason",
    "finishReason",
    "stop_reason",
    "mime_type",
    "mimeType",
    "media_type",
    "mediaType",
    "modality",
    "file_id",
    "uri",
    "tool_call_id",
    "toolCallId",
    "tool_use_id",
    "toolUseId",
    "toolName",
    "call_id",
    "model",
    "modelId",
    "model_name",
    "model_version",
    "modelVersion",
    "object",
    "status",
    "kind",
    "index",
    "event.name",
    "system_fingerprint",
    "service_tier",
    "response_id",
    "responseId",
    "tool_call_kind",
    "format",
];

/// Members that identify something: digits in them are no telephone numbers or cards.
const IDENTIFIERS: &[&str] = &[
    "id",
    "file_id",
    "tool_call_id",
    "toolCallId",
    "tool_use_id",
    "toolUseId",
    "call_id",
    "response_id",
    "responseId",
    "model",
    "modelId",
    "model_name",
    "model_version",
    "modelVersion",
    "system_fingerprint",
];

/// Longer texts are content, wherever they stand.
const LONGEST_STRUCTURAL: usize = 256;

// === impl Place ===

impl<'a> Place<'a> {
    /// The place of the value of an attribute. Names that are written with dots end in what the value is.
    pub(super) fn attribute(key: &'a str) -> Self {
        let mut segments = key.rsplit('.');
        let last = segments.next().unwrap_or(key);
        // Those of a definition stand behind its number or `function`; others are what was asked for, or handed to a tool.
        let defined = |above: &str| above == "function" || above.bytes().all(|byte| byte.is_ascii_digit());
        let asked = last == "parameters" && segments.next().is_some_and(|above| !defined(above));
        // `gen_ai.prompt.0.name` has a member; `genkit:name` or `final_result` has not.
        let mode = if asked || PAYLOADS.contains(&last) && last.len() < key.len() && last != "input" {
            Mode::Payload
        } else if SCHEMAS.contains(&last) && last.len() < key.len() {
            Mode::Schema
        } else {
            Mode::Structure
        };
        Self { key: last, mode, depth: 0 }
    }

    pub(super) fn member(self, key: &'a str) -> Self {
        let mode = match self.mode {
            Mode::Structure if PAYLOADS.contains(&key) => Mode::Payload,
            Mode::Structure if SCHEMAS.contains(&key) => Mode::Schema,
            mode => mode,
        };
        Self { key, mode, depth: self.depth + 1 }
    }

    /// Whether a text here identifies something: a word with letters, where an identifier is expected.
    pub(super) fn is_identifier(self, text: &str) -> bool {
        self.mode == Mode::Structure
            && IDENTIFIERS.contains(&self.key)
            && text.len() <= LONGEST_STRUCTURAL
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    }

    /// Whether a text here tells what something is.
    pub(super) fn is_structural(self, text: &str) -> bool {
        match self.mode {
            Mode::Structure => STRUCTURAL.contains(&self.key) && text.len() <= LONGEST_STRUCTURAL,
            Mode::Payload => false,
            Mode::Schema => !DESCRIBING.contains(&self.key) && text.len() <= LONGEST_STRUCTURAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: attributes that are called parameters: of a request, of a call, and of definitions.
    /// Guarantees: only those of definitions are schemas; of the others all is content.
    #[test]
    fn parameters_are_schemas_in_definitions_only() {
        let mode = |key| Place::attribute(key).mode;
        for key in ["gen_ai.request.parameters", "tool.parameters"] {
            assert_eq!(mode(key), Mode::Payload, "{key}");
        }
        for key in [
            "llm.request.functions.0.parameters",
            "llm.tools.0.tool.function.parameters",
            "llm.tools.0.tool.json_schema",
        ] {
            assert_eq!(mode(key), Mode::Schema, "{key}");
        }
        assert_eq!(mode("gen_ai.input.messages"), Mode::Structure);
    }
}
