//! What spans say in text.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, Traces};

/// The texts among the attributes of each span.
pub fn texts(traces: &Traces) -> Vec<BTreeMap<String, String>> {
    let spans = traces.scopes().flat_map(|scope| scope.spans().collect::<Vec<_>>());
    let text = |value| match value {
        AnyValue::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    spans
        .map(|span| {
            let known =
                span.attributes().filter_map(|found| Some((found.key_str()?.to_owned(), text(found.value.get())?)));
            known.collect()
        })
        .collect()
}

/// What a document, or a piece of one, says: the texts that are content.
pub fn said(key: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    match serde_json::from_str::<Json>(text) {
        Ok(document @ (Json::Array(_) | Json::Object(_))) => collect(&document, false, &mut found),
        // Python's form of a document.
        _ if text.starts_with("[{'") => {}
        _ if [".content", ".text", ".arguments"].iter().any(|end| key.ends_with(end)) => found.push(text.to_owned()),
        _ => {}
    }
    found
}

fn collect(json: &Json, content: bool, found: &mut Vec<String>) {
    match json {
        Json::String(text) if content && text.len() > 3 => match serde_json::from_str::<Json>(text) {
            Ok(inner @ (Json::Array(_) | Json::Object(_))) => collect(&inner, true, found),
            _ => found.push(text.clone()),
        },
        Json::Array(items) => items.iter().for_each(|item| collect(item, content, found)),
        Json::Object(entries) => {
            for (key, value) in entries {
                let content =
                    matches!(key.as_str(), "content" | "text" | "thinking" | "arguments" | "args" | "description");
                collect(value, content, found);
            }
        }
        _ => {}
    }
}

/// Letters and digits alone: escapes and white space differ.
pub fn words(text: &str) -> String {
    let plain = text.replace("\\n", "").replace("\\t", "").replace("\\r", "");
    plain.chars().filter(|character| character.is_alphanumeric()).collect()
}
