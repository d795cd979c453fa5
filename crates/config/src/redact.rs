//! Takes secrets out of text that people see: credentials and queries of URLs, and what was put in for `${...}`.

use std::borrow::Cow;

use crate::secret::REDACTED;
use crate::{Node, Value};

/// A shorter value may stand in a message by chance, and is taken out of quotes alone.
const TELLING: usize = 4;

/// The text, where each URL in it has neither user, password nor query: `https://[REDACTED]@host/path?[REDACTED]`. So has
/// `user:password@host` without a scheme.
pub fn without_url_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains(['@', '?']) {
        return text.into();
    }
    text.split_inclusive(ends_word).map(word).collect::<String>().into()
}

/// What no URL has.
pub(crate) fn ends_word(character: char) -> bool {
    character.is_whitespace() || "\"'`<>".contains(character)
}

/// One word, with what ends it.
fn word(word: &str) -> String {
    let url = word.trim_end_matches(|character| ends_word(character) || "),;:".contains(character));
    let tail = word.get(url.len()..).unwrap_or_default();
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + "://".len()),
        None => ("", url),
    };
    let is_url = !scheme.is_empty();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let at = match authority.rfind('@') {
        Some(at) => Some(at).filter(|at| is_url || authority.get(..*at).is_some_and(|user| user.contains(':'))),
        // What should be a port is none: a password that has a slash.
        None if is_url && authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u64>().is_err()) => {
            rest.rfind('@')
        }
        None => None,
    };
    let (user, rest) = at.map_or(("", rest), |at| (REDACTED, rest.get(at..).unwrap_or_default()));
    match rest.split_once('?').filter(|(_, query)| is_url && !query.is_empty()) {
        Some((path, _)) => format!("{scheme}{user}{path}?{REDACTED}{tail}"),
        None => format!("{scheme}{user}{rest}{tail}"),
    }
}

/// The message without the values of this tree that were put in for `${...}`, nor quoted parts of them.
pub(crate) fn without_put_in(message: String, node: &Node) -> String {
    match &node.value {
        Value::List(items) => items.iter().fold(message, without_put_in),
        Value::Map(map) => map.values().fold(message, |message, entry| without_put_in(message, &entry.node)),
        _ if !node.put_in => message,
        Value::String(text) => without(&message, text),
        Value::Null => message,
        Value::Bool(value) => without(&message, &value.to_string()),
        Value::Int(value) => without(&message, &value.to_string()),
        Value::UInt(value) => without(&message, &value.to_string()),
        Value::Float(value) => without(&message, &value.to_string()),
    }
}

fn without(message: &str, value: &str) -> String {
    if value.is_empty() {
        return message.to_owned();
    }
    // As errors quote it.
    let escaped = format!("{value:?}");
    let escaped = escaped.trim_matches('"');
    let mut message = message.to_owned();
    for value in [value, escaped].into_iter().filter(|value| value.len() >= TELLING) {
        message = message.replace(value, REDACTED);
    }
    let is_part = |quoted: &str| !quoted.is_empty() && (value.contains(quoted) || escaped.contains(quoted));
    let parts = message.split('"').enumerate();
    let parts = parts.map(|(index, part)| if index % 2 == 1 && is_part(part) { REDACTED } else { part });
    parts.collect::<Vec<_>>().join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: URLs alone and in messages, with users, passwords and queries, also malformed ones, and text that only looks like it.
    /// Guarantees: what may be secret is not shown, everything else stays.
    #[test]
    fn urls() {
        for (text, expected) in [
            ("http://u:p@h:1/x@y", "http://[REDACTED]@h:1/x@y"),
            ("http://user@h/?sig=s&t=u", "http://[REDACTED]@h/?[REDACTED]"),
            ("\"http://u:p@h:99999999\" is no URL: x", "\"http://[REDACTED]@h:99999999\" is no URL: x"),
            ("(http://h/?token=s/v1/traces) did you?", "(http://h/?[REDACTED]) did you?"),
            ("endpoint \"u:p@h:4317\": no", "endpoint \"[REDACTED]@h:4317\": no"),
            ("http://u:s/p@h", "http://[REDACTED]@h"),
            ("http://proxy/a:b@c", "http://proxy/a:b@c"),
            ("ann@example.org?", "ann@example.org?"),
            ("did you mean \"a\"?", "did you mean \"a\"?"),
            ("http://h:1/a?", "http://h:1/a?"),
        ] {
            assert_eq!(without_url_secrets(text), expected);
        }
    }

    /// Scenario: messages that quote a value, a part of it, an escape in it, and what has nothing to do with it.
    /// Guarantees: the value is not shown, nor a quoted part.
    #[test]
    fn values() {
        let redacted = |message: &str, value: &str| without(message, value);
        assert_eq!(redacted("invalid duration \"secret\"", "secret"), "invalid duration \"[REDACTED]\"");
        assert_eq!(redacted("\"secret/v1\" is no URL", "secret"), "\"[REDACTED]/v1\" is no URL");
        assert_eq!(redacted("invalid port \"cret\"", "se:cret"), "invalid port \"[REDACTED]\"");
        assert_eq!(redacted("found \"a\\\"bcd\"", "a\"bcd"), "found \"[REDACTED]\"");
        assert_eq!(redacted("a map, found \"a\" near \"b\"", "a"), "a map, found \"[REDACTED]\" near \"b\"");
    }
}
