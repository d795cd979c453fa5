//! Documents that were retrieved, or put in order by a reranker, as the conventions have them.

use serde_json::{Map, Value as Json};
use spanmill_otlp::ValueRef;

use super::flat::gather;

/// Reads documents that were flattened: `0.document.id`. Nothing if there are none, or one lacks what the conventions ask for.
pub(crate) fn gather_documents(flat: &[(&str, ValueRef<'_>)]) -> Option<String> {
    let keys: Vec<String> = flat.iter().map(|(rest, _)| rest.replacen(".document.", ".", 1)).collect();
    let flat: Vec<(&str, ValueRef<'_>)> =
        keys.iter().map(String::as_str).zip(flat.iter().map(|(_, value)| *value)).collect();
    documents(serde_json::from_str(&gather(&flat)?).ok()?)
}

/// Documents as the conventions have them: each has an identifier and a score. Nothing if one has not.
pub(crate) fn documents(mut documents: Vec<Map<String, Json>>) -> Option<String> {
    for document in &mut documents {
        if let Some(number) = document.get("id").and_then(Json::as_i64) {
            document.insert("id".to_owned(), number.to_string().into());
        }
        let metadata = document.get("metadata").and_then(Json::as_str).and_then(|text| serde_json::from_str(text).ok());
        if let Some(metadata @ Json::Object(_)) = metadata {
            document.insert("metadata".to_owned(), metadata);
        }
        document.get("id").filter(|id| id.is_string()).and(document.get("score").filter(|score| score.is_number()))?;
    }
    (!documents.is_empty()).then(|| serde_json::to_string(&documents).ok()).flatten()
}
