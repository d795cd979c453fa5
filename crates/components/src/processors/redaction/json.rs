//! JSON documents, read token by token so that what is not changed keeps its bytes.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

/// The tokens of a valid document, without the white space between them.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Open objects and lists; true for an object.
    open: Vec<bool>,
    /// Whether a text that comes next is a key.
    key_next: bool,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The name of a member, with its quotes.
    Key,
    /// A text, with its quotes.
    Text,
    /// A number, a boolean or null.
    Scalar,
    /// A bracket, a brace, a comma or a colon.
    Mark(u8),
}

/// Whether a text is a JSON document of any kind.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What an encoded text stands for. Halves of surrogate pairs become replacement characters: nothing must hide behind one.
pub(super) fn decode(quoted: &str) -> Cow<'_, str> {
    if !quoted.contains('\\') {
        return Cow::Borrowed(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted));
    }
    let bytes = serde_json::from_str::<serde_bytes_text::Text>(quoted).map(|text| text.0);
    Cow::Owned(bytes.unwrap_or_else(|_| quoted.to_owned()))
}

/// A text, encoded.
pub(super) fn encode(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

// === impl Tokens ===

impl<'t> Tokens<'t> {
    /// The document must be valid.
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, open: Vec::new(), key_next: false }
    }

    /// Where the value ends that comes next.
    pub(super) fn value_end(&self) -> usize {
        let mut ahead = self.clone();
        let depth = ahead.open.len();
        loop {
            match ahead.next() {
                // The colon before it.
                Some(Token { kind: Kind::Mark(b':'), .. }) => {}
                Some(Token { range, .. }) if ahead.open.len() <= depth => return range.end,
                Some(_) => {}
                None => return self.text.len(),
            }
        }
    }

    /// Passes over the value that comes next, given where it ends.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.at = end;
        self.key_next = false;
    }

    fn text_end(&self, start: usize) -> usize {
        let mut escaped = false;
        let rest = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        let length = rest.iter().position(|byte| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        });
        length.map_or(self.text.len(), |length| start + length + 2)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let start = self.at + bytes.get(self.at..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let first = *bytes.get(start)?;
        let (kind, end) = match first {
            b'"' => (if self.key_next { Kind::Key } else { Kind::Text }, self.text_end(start)),
            b'{' | b'[' | b'}' | b']' | b',' | b':' => (Kind::Mark(first), start + 1),
            _ => {
                let length = bytes.get(start..)?.iter().position(|byte| b" \t\r\n,]}".contains(byte));
                (Kind::Scalar, length.map_or(bytes.len(), |length| start + length))
            }
        };
        match first {
            b'{' | b'[' => self.open.push(first == b'{'),
            b'}' | b']' => drop(self.open.pop()),
            _ => {}
        }
        self.key_next = matches!(first, b'{' | b',') && self.open.last() == Some(&true);
        self.at = end;
        Some(Token { kind, range: start..end })
    }
}

mod serde_bytes_text {
    use std::fmt;

    use serde::de::{Deserialize, Deserializer, Error, Visitor};

    /// A JSON text as bytes, which lets halves of surrogate pairs pass.
    pub(super) struct Text(pub(super) String);

    struct TextVisitor;

    impl<'de> Deserialize<'de> for Text {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_bytes(TextVisitor)
        }
    }

    impl Visitor<'_> for TextVisitor {
        type Value = Text;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text, E> {
            Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
            Ok(Text(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a document with everything in it.
    /// Guarantees: keys are told from texts, escapes do not end texts, and values end where they do.
    #[test]
    fn tokens() {
        let text = r#" {"a\"b" : [1, "x\\", {"k":"v"}], "c":{}, "d" : null } "#;
        assert!(is_json(text));
        let shown: Vec<_> = Tokens::new(text).map(|token| (token.kind, &text[token.range])).collect();
        let keys: Vec<_> = shown.iter().filter(|(kind, _)| *kind == Kind::Key).map(|(_, text)| *text).collect();
        assert_eq!(keys, [r#""a\"b""#, r#""k""#, r#""c""#, r#""d""#]);
        let texts: Vec<_> = shown.iter().filter(|(kind, _)| *kind == Kind::Text).map(|(_, text)| *text).collect();
        assert_eq!(texts, [r#""x\\""#, r#""v""#]);
        let mut tokens = Tokens::new(text);
        let key = tokens.find(|token| token.kind == Kind::Key).unwrap();
        assert_eq!(&text[key.range.end..tokens.value_end()], r#" : [1, "x\\", {"k":"v"}]"#);
        assert_eq!(decode(r#""a\u00e9\ud800\n""#), "a\u{e9}\u{fffd}\u{fffd}\u{fffd}\n");
    }
}
