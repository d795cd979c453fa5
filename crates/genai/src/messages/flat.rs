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

/// How Agenta marks text that is JSON.
const JSON_MARK: &str = "@ag.type=json:";

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
        insert(&mut root, key, |name| leaf(name, *value))?;
    }
    let list = lists(Json::Object(root));
    list.is_array().then(|| list.to_string())
}

/// Puts a value where its key says. Nothing if that is deeper than any message.
pub(crate) fn insert(map: &mut Map<String, Json>, key: &str, value: impl FnOnce(&str) -> Json) -> Option<()> {
    let segments: Vec<&str> = key.split('.').filter(|segment| !WRAPPERS.contains(segment)).collect();
    if segments.len() > DEEPEST {
        return None;
    }
    insert_at(map, &segments, value);
    Some(())
}

fn insert_at(map: &mut Map<String, Json>, segments: &[&str], value: impl FnOnce(&str) -> Json) {
    match segments {
        [] => {}
        [last] => {
            map.entry(*last).or_insert_with(|| value(last));
        }
        [first, rest @ ..] => {
            let entry = map.entry(*first).or_insert_with(|| Json::Object(Map::new()));
            // A key that is a value already has no members.
            if let Json::Object(inner) = entry {
                insert_at(inner, rest, value);
            }
        }
    }
}

fn leaf(name: &str, value: ValueRef<'_>) -> Json {
    let datum = Datum::read(value);
    let Datum::Text(text) = &datum else { return datum.json() };
    let text = text.strip_prefix(JSON_MARK).unwrap_or(text);
    let is_document = match name {
        "content" => is_packed(text),
        _ => is_number(name) && text.starts_with('{'),
    };
    let document = is_document.then(|| serde_json::from_str(text).ok()).flatten();
    document.unwrap_or_else(|| Json::String(text.to_owned()))
}

/// Whether a part of a key is the place of an element.
pub(crate) fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Objects whose names are all numbers become lists in the order of the numbers; gaps close.
pub(crate) fn lists(json: Json) -> Json {
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
