//! Fingerprints of tool calls, for finding loops: the same tool with the same arguments.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;

use crate::datum::Datum;

type Build = BuildHasherDefault<DefaultHasher>;

/// Fingerprint of arguments; the order of keys and white space make no difference.
pub(crate) fn hash_arguments(arguments: &Datum<'_>) -> Option<u64> {
    match (arguments.document(), arguments) {
        (Some(json), _) => Some(hash_json(&json)),
        (None, Datum::Text(text)) => Some(Build::default().hash_one(text.trim())),
        _ => None,
    }
}

/// Fingerprint of a call of a tool.
pub(crate) fn hash_call(tool: &str, arguments: Option<u64>) -> u64 {
    Build::default().hash_one((tool, arguments))
}

fn hash_json(json: &Json) -> u64 {
    let mut hasher = Build::default().build_hasher();
    match json {
        Json::Object(entries) => {
            let sum = entries
                .iter()
                .map(|(key, value)| Build::default().hash_one((key, hash_json(value))))
                .fold(0u64, u64::wrapping_add);
            (1u8, sum).hash(&mut hasher);
        }
        Json::Array(items) => items.iter().for_each(|item| hash_json(item).hash(&mut hasher)),
        Json::String(text) => (2u8, text).hash(&mut hasher),
        other => (3u8, other.to_string()).hash(&mut hasher),
    }
    hasher.finish()
}
