//! JSON that is rewritten only where something changes: the rest keeps its bytes, numbers their digits, and objects the order of their
//! members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use super::place::{DEEPEST, Place};
use crate::messages::Members;

/// A member name or text. Halves of surrogate pairs, which JSON can spell and Unicode cannot, become replacement characters: a text
/// must not be passed over for having one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// The members of an object, in their order.
pub(super) type MemberList<'a> = [(Text<'a>, &'a RawValue)];

/// What takes the place of what. Nothing means that it stays.
pub(super) trait Edit {
    /// Encoded JSON in the place of a value of any kind; its parts are then not asked about.
    fn whole(&mut self, _raw: &RawValue, _place: Place<'_>) -> Option<String> {
        None
    }

    /// Encoded JSON in the place of an object.
    fn object(&mut self, _members: &MemberList<'_>) -> Option<String> {
        None
    }

    /// Another name for a member.
    fn key(&mut self, _key: &str) -> Option<String> {
        None
    }

    /// Another text; `encoded` is how long it was in its encoded form, quotes aside.
    fn text(&mut self, text: &str, encoded: usize, place: Place<'_>) -> Option<String>;
}

/// Opens a text that is a JSON document rather than a word.
pub(super) fn document(text: &str) -> Option<&RawValue> {
    let start = text.trim_ascii_start().as_bytes().first()?;
    if !matches!(start, b'{' | b'[' | b'"') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The text that an encoded one stands for.
pub(super) fn decode(encoded: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(encoded).ok().map(|Text(text)| text)
}

/// A text, encoded.
pub(super) fn encode(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// How long a character is once it is encoded.
pub(super) fn encoded_len(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        control if control < ' ' => 6,
        other => other.len_utf8(),
    }
}

/// Whether a value is a list of this many numbers, or more, and nothing else.
pub(super) fn is_vector(raw: &RawValue, least: usize) -> bool {
    let Some(inner) = raw.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let number = |byte: u8| byte.is_ascii_digit() || b"+-.eE, \t\r\n".contains(&byte);
    inner.bytes().all(number) && memchr::memchr_iter(b',', inner.as_bytes()).count() + 1 >= least
}

/// The value with what an edit changes, encoded; nothing if it changes nothing.
pub(super) fn rewrite(raw: &RawValue, place: Place<'_>, edit: &mut dyn Edit) -> Option<String> {
    if let Some(whole) = edit.whole(raw, place) {
        return Some(whole);
    }
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => edit.text(&decode(text)?, text.len().saturating_sub(2), place).map(|text| encode(&text)),
        b'[' | b'{' if place.depth >= DEEPEST => edit.text(text, text.len(), place).map(|text| encode(&text)),
        b'[' => rewrite_list(serde_json::from_str(text).ok()?, place, edit),
        b'{' => rewrite_object(&members(text)?, place, edit),
        _ => None,
    }
}

/// The members of an encoded object.
pub(super) fn members(text: &str) -> Option<Vec<(Text<'_>, &RawValue)>> {
    serde_json::from_str::<Members<'_, Text<'_>>>(text).ok().map(|members| members.0)
}

fn rewrite_list(items: Vec<&RawValue>, place: Place<'_>, edit: &mut dyn Edit) -> Option<String> {
    let place = Place { depth: place.depth + 1, ..place };
    let changed: Vec<Option<String>> = items.iter().map(|item| rewrite(item, place, edit)).collect();
    if changed.iter().all(Option::is_none) {
        return None;
    }
    let items = items.into_iter().zip(changed);
    let items: Vec<Cow<'_, str>> =
        items.map(|(raw, changed)| changed.map_or(Cow::Borrowed(raw.get()), Cow::Owned)).collect();
    Some(format!("[{}]", items.join(",")))
}

fn rewrite_object(members: &MemberList<'_>, place: Place<'_>, edit: &mut dyn Edit) -> Option<String> {
    if let Some(object) = edit.object(members) {
        return Some(object);
    }
    let changed: Vec<(Option<String>, Option<String>)> =
        members.iter().map(|(key, raw)| (edit.key(&key.0), rewrite(raw, place.member(&key.0), edit))).collect();
    if changed.iter().all(|(key, value)| key.is_none() && value.is_none()) {
        return None;
    }
    let mut object = String::from("{");
    for ((key, raw), (new_key, value)) in members.iter().zip(changed) {
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(&encode(new_key.as_deref().unwrap_or(&key.0)));
        object.push(':');
        object.push_str(value.as_deref().unwrap_or(raw.get()));
    }
    object.push('}');
    Some(object)
}

// === impl Text ===

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(String::from_utf8_lossy(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(String::from_utf8_lossy(bytes).into_owned())))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_bytes(TextVisitor)
    }
}
