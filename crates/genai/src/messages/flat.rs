//! Messages that were flattened into one attribute a value, such as `llm.input_messages.0.message.content`: they are put
//! together to the document they came from.

use serde_json::{Map, Value as Json};
use spanmill_otlp::ValueRef;

use super::part::is_packed;
use crate::datum::Datum;

/// The attributes of one document: the rest of each key, behind the prefix and its dot, and the value.
pub(crate) type Flat<'a> = [(&'a str, ValueRef<'a>)];

/// More values of one span than this are left as they are.
pub(crate) const MOST_FLAT: usize = 16_384;

/// Segments of keys that only name the type of what follows.
const WRAPPERS: &[&str] = &["message", "message_content", "tool_call", "prompt", "completion", "tool"];

/// Deeper keys are no messages.
const DEEPEST: usize = 12;

/// Splits a key such as `gen_ai.prompt.0.content`: which of the prefixes it begins with, and what follows that and its dot.
pub(crate) fn split_flat<'p, 'k>(
    prefixes: impl IntoIterator<Item = &'p str>,
    key: &'k [u8],
) -> Option<(usize, &'k str)> {
    prefixes.into_iter().enumerate().find_map(|(number, prefix)| {
        let rest = key.strip_prefix(prefix.as_bytes())?.strip_prefix(b".")?;
        rest.first().filter(|first| first.is_ascii_digit())?;
        Some((number, std::str::from_utf8(rest).ok()?))
    })
}

/// The JSON text of the list that was flattened.
pub(crate) fn gather(flat: &Flat<'_>) -> Option<String> {
    let mut root = Map::new();
    for (key, value) in flat {
        let segments: Vec<&str> = key.split('.').filter(|segment| !WRAPPERS.contains(segment)).collect();
        if segments.len() > DEEPEST {
            return None;
        }
        insert(&mut root, &segments, *value);
    }
    let list = lists(Json::Object(root));
    list.is_array().then(|| list.to_string())
}

fn insert(map: &mut Map<String, Json>, segments: &[&str], value: ValueRef<'_>) {
    match segments {
        [] => {}
        [last] => {
            map.entry(*last).or_insert_with(|| leaf(last, value));
        }
        [first, rest @ ..] => {
            let entry = map.entry(*first).or_insert_with(|| Json::Object(Map::new()));
            // A key that is a value already has no members.
            if let Json::Object(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

fn leaf(name: &str, value: ValueRef<'_>) -> Json {
    let datum = Datum::read(value);
    match &datum {
        Datum::Text(text) if name == "content" && is_packed(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        Datum::Text(text) => Json::String(text.clone().into_owned()),
        _ => datum.json(),
    }
}

/// Objects whose names are all numbers become lists in the order of the numbers; gaps close.
fn lists(json: Json) -> Json {
    let Json::Object(map) = json else { return json };
    let numbers: Option<Vec<u32>> = map.keys().map(|key| key.parse().ok()).collect();
    match numbers.filter(|numbers| !numbers.is_empty()) {
        Some(numbers) => {
            let mut items: Vec<(u32, Json)> =
                numbers.into_iter().zip(map.into_iter().map(|(_, item)| lists(item))).collect();
            items.sort_by_key(|(number, _)| *number);
            Json::Array(items.into_iter().map(|(_, item)| item).collect())
        }
        None => Json::Object(map.into_iter().map(|(key, item)| (key, lists(item))).collect()),
    }
}
