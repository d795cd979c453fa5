//! JSON documents in values: masked inside of their texts, so that they stay JSON.

use super::json::{Kind, Tokens, decode, encode, is_json};
use super::rules::Rules;

/// Masks documents, to some depth of texts that are documents again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inside<'r> {
    rules: &'r Rules,
    depth: u8,
}

/// Texts in texts in texts, as in arguments of tools in messages.
const DEEPEST: u8 = 8;

// === impl Inside ===

impl<'r> Inside<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self { rules, depth: 0 }
    }

    /// None where the text is no document; else what it becomes, which is none where nothing changes.
    ///
    /// Members are handled as attributes: ignored keys are passed over, values of blocked keys are masked whole, and texts, as well as
    /// numbers where all types are looked at, are masked where a pattern finds something. A masked number becomes a text.
    #[expect(clippy::option_option, reason = "no document, and a document that stays, are different things")]
    pub(super) fn document(self, text: &[u8]) -> Option<Option<Vec<u8>>> {
        if self.depth >= DEEPEST || !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return None;
        }
        let text = std::str::from_utf8(text).ok().filter(|text| is_json(text))?;
        Some(if self.rules.looks_at_values() { self.rewrite(text) } else { None })
    }

    fn rewrite(self, text: &str) -> Option<Vec<u8>> {
        let mut tokens = Tokens::new(text);
        let (mut out, mut copied) = (Vec::new(), 0);
        while let Some(token) = tokens.next() {
            let found = text.get(token.range.clone()).unwrap_or_default();
            let (range, masked) = match token.kind {
                Kind::Key => {
                    let key = decode(found);
                    let ignored = self.rules.ignores(key.as_bytes());
                    if !ignored && !self.rules.blocks(key.as_bytes()) {
                        continue;
                    }
                    let end = tokens.value_end();
                    tokens.skip_to(end);
                    if ignored {
                        continue;
                    }
                    let value = text.get(token.range.end..end).unwrap_or_default();
                    let value = value.trim_start_matches([' ', '\t', '\r', '\n', ':']);
                    (end - value.len()..end, self.whole(value))
                }
                Kind::Text => (token.range, self.text(&decode(found))),
                Kind::Scalar if self.rules.all_types => (token.range, self.text(found)),
                Kind::Scalar | Kind::Mark(_) => continue,
            };
            if let Some(masked) = masked {
                out.extend_from_slice(text.get(copied..range.start).unwrap_or_default().as_bytes());
                out.extend_from_slice(encode(&masked).as_bytes());
                copied = range.end;
            }
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(text.get(copied..).unwrap_or_default().as_bytes());
        Some(out)
    }

    /// A value of any kind, masked whole.
    fn whole(self, value: &str) -> Option<String> {
        let text = if value.starts_with('"') { decode(value) } else { value.into() };
        let masked = self.rules.mask_whole(text.as_bytes());
        (!self.rules.allows(text.as_bytes())).then(|| String::from_utf8_lossy(&masked).into_owned())
    }

    fn text(self, text: &str) -> Option<String> {
        if self.rules.allows(text.as_bytes()) {
            return None;
        }
        let deeper = Self { depth: self.depth + 1, ..self };
        let masked = match deeper.document(text.as_bytes()) {
            Some(document) => document,
            None => self.rules.mask_values(text.as_bytes()),
        };
        masked.map(|masked| String::from_utf8_lossy(&masked).into_owned())
    }
}
