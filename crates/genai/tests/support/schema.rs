//! The JSON schemas of the conventions.

use jsonschema::Validator;
use serde_json::{Value as Json, json};

/// Attributes that hold documents, and their schemas.
pub const DOCUMENTS: [(&str, &str); 5] = [
    ("gen_ai.input.messages", include_str!("../schema/input-messages.json")),
    ("gen_ai.output.messages", include_str!("../schema/output-messages.json")),
    ("gen_ai.system_instructions", include_str!("../schema/system-instructions.json")),
    ("gen_ai.tool.definitions", include_str!("../schema/tool-definitions.json")),
    ("gen_ai.retrieval.documents", include_str!("../schema/retrieval-documents.json")),
];

/// A validator. The schemas let a part of any type pass as a generic one; here one with the name of a known type must be of that type.
pub fn validator(schema: &str) -> Validator {
    // Schemas of tools' parameters are not looked into.
    let schema = schema.replace(r#""$ref": "http://json-schema.org/draft-07/schema#""#, r#""type": "object""#);
    let mut schema: Json = serde_json::from_str(&schema).unwrap();
    let known: Vec<Json> = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|part| part["properties"]["type"].get("const").cloned())
        .collect();
    if let Some(generic) = schema["$defs"].get_mut("GenericPart") {
        generic["properties"]["type"] = json!({ "type": "string", "not": { "enum": known } });
    }
    jsonschema::validator_for(&schema).unwrap()
}
