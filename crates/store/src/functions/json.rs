//! One value of a JSON object, found without parsing the others.

use std::borrow::Cow;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

/// A key to look for in many documents.
#[derive(Debug)]
pub(super) struct Key<'a> {
    text: &'a str,
    finder: Finder<'a>,
}

/// A place in a document. Every step answers none where the document ends too early or is not JSON.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

// === impl Key ===

impl<'a> Key<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, finder: Finder::new(text) }
    }

    /// The value of this key at the top level: text without quotes and escapes, everything else as it stands there. None where it is
    /// absent or null, or the document is no object. Of several equal keys the first one counts.
    pub(super) fn find<'d>(&self, document: &'d str) -> Option<Cow<'d, str>> {
        let bytes = document.as_bytes();
        // Most documents lack most keys, which this tells at the speed of memory; an escape could hide the key.
        if self.finder.find(bytes).is_none() && memchr(b'\\', bytes).is_none() {
            return None;
        }
        let mut cursor = Cursor { text: document, at: 0 };
        cursor.expect(b'{')?;
        loop {
            let key = cursor.string()?;
            cursor.expect(b':')?;
            let value = cursor.value()?;
            if key == self.text || (key.contains('\\') && *unescaped(key)? == *self.text) {
                return match value.strip_prefix('"') {
                    Some(text) => unescaped(text.strip_suffix('"')?),
                    None => (value != "null").then_some(Cow::Borrowed(value)),
                };
            }
            cursor.expect(b',')?;
        }
    }
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    fn rest(&self) -> Option<&'a [u8]> {
        self.text.as_bytes().get(self.at..)
    }

    fn skip_space(&mut self) {
        let rest = self.rest().unwrap_or_default();
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (*self.rest()?.first()? == wanted).then(|| self.at += 1)
    }

    /// What stands between the quotes.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            let found = memchr2(b'"', b'\\', self.rest()?)?;
            self.at += found;
            match self.rest()?.first()? {
                b'"' => break,
                _ => self.at += 2,
            }
        }
        let text = self.text.get(begin..self.at)?;
        self.at += 1;
        Some(text)
    }

    /// A value of any kind, as it stands there.
    fn value(&mut self) -> Option<&'a str> {
        self.skip_space();
        let begin = self.at;
        match self.rest()?.first()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                let rest = self.rest()?;
                let end = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                self.at += rest.iter().position(end)?;
            }
        }
        self.text.get(begin..self.at)
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest()?;
            let found = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))?;
            self.at += found;
            match rest.get(found)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth = depth.checked_sub(1)?,
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// The text that a string of JSON stands for, given without its quotes.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    serde_json::from_str(&format!("\"{text}\"")).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn find(key: &str, document: &str) -> Option<String> {
        Key::new(key).find(document).map(Cow::into_owned)
    }

    /// Scenario: values of every kind, keys with dots, keys inside other values.
    /// Guarantees: only the top level counts; text comes without quotes, everything else as JSON; null is absent.
    #[test]
    fn values_of_every_kind() {
        let document =
            r#"{"a.b":"x", "n" : 1.50,"t":true,"z":null,"o":{"k":"}\"]","a.b":2},"l":[1,{"q":"["}],"k":"ü"}"#;
        let expected = [
            ("a.b", Some("x")),
            ("n", Some("1.50")),
            ("t", Some("true")),
            ("z", None),
            ("o", Some(r#"{"k":"}\"]","a.b":2}"#)),
            ("l", Some(r#"[1,{"q":"["}]"#)),
            ("k", Some("ü")),
            ("q", None),
            ("a", None),
        ];
        for (key, value) in expected {
            assert_eq!(find(key, document).as_deref(), value, "{key}");
        }
    }

    /// Scenario: escapes in keys and values.
    /// Guarantees: both are compared and given as what they stand for.
    #[test]
    fn escapes() {
        let document = r#"{"a\"b":"1\n\u00e4\\","\u0063d":"\ud83d\ude00"}"#;
        assert_eq!(find("a\"b", document).as_deref(), Some("1\nä\\"));
        assert_eq!(find("cd", document).as_deref(), Some("😀"));
    }

    /// Scenario: documents that end at any byte, or are no objects.
    /// Guarantees: nothing is found and nothing breaks.
    #[test]
    fn broken_documents() {
        let document = r#"{"k":{"a":["\"ü",1]},"b":"\u00e4","wanted":1}"#;
        for end in (0..document.len()).filter(|end| document.is_char_boundary(*end)) {
            if let Some(found) = find("wanted", &document[..end]) {
                panic!("{end}: {found}");
            }
        }
        for document in ["", "[]", "\"wanted\"", "1", "{}", "{]", r#"{"wanted"}"#, r#"{"wanted":]}"#, r#"{"wanted" 1}"#]
        {
            assert!(find("wanted", document).is_none_or(|found| found.is_empty()), "{document}");
        }
    }

    /// Scenario: nested documents with strings of quotes, brackets and backslashes, as a JSON library writes them.
    /// Guarantees: each key gives what the library reads there.
    #[test]
    fn as_the_library_reads() {
        let odd = ["", "\"", "\\", "}{][", "a,b:c", "\u{1}", "ß\u{1f600}", "\\\"", "null"];
        let mut document = serde_json::Map::new();
        for (at, key) in odd.iter().enumerate() {
            let inner = json!({ *key: [odd[(at + 3) % odd.len()], { "x": odd[(at + 5) % odd.len()] }] });
            document.insert(format!("{key}{at}"), if at % 2 == 0 { inner } else { json!(odd[(at + 1) % odd.len()]) });
        }
        let text = Value::Object(document.clone()).to_string();
        for (key, value) in &document {
            let found = find(key, &text).unwrap();
            match value {
                Value::String(expected) => assert_eq!(found, *expected),
                other => assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), *other),
            }
        }
    }
}
