//! Keys in one manner of writing: `promptTokens`, `Prompt-Tokens` and `prompt.tokens` are all `prompt_tokens`. Nothing is allocated for
//! a key of a span.

use memchr::memchr;

/// Longer keys than this, once folded, are not looked at.
const LONGEST: usize = 96;
/// Ends of a key that are tried: after its dots, and after words that change nothing.
const MOST_ENDS: usize = 16;

/// A folded key, and where its ends begin.
#[derive(Debug)]
pub(super) struct Folded {
    text: [u8; LONGEST],
    len: u8,
    /// The beginnings of parts: what stands between dots.
    parts: [u8; MOST_ENDS],
    count: u8,
}

/// A key in that manner, for tables.
pub(super) fn fold(key: &str) -> String {
    let folded = Folded::new(key.as_bytes());
    folded.map_or_else(|| key.to_owned(), |folded| String::from_utf8_lossy(folded.text()).into_owned())
}

// === impl Folded ===

impl Folded {
    /// Nothing for a key that is too long.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let mut folded = Self { text: [0; LONGEST], len: 0, parts: [0; MOST_ENDS], count: 0 };
        folded.begin_part();
        let mut before = b'.';
        for (at, &byte) in key.iter().enumerate() {
            let next_is_lower = key.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            match byte {
                b'.' | b'_' | b'-' => {
                    folded.push(b'_')?;
                    if byte == b'.' {
                        folded.begin_part();
                    }
                }
                _ => {
                    // A hump: `promptTokens`, and the last capital of `LLMModel`.
                    let hump = before.is_ascii_lowercase()
                        || before.is_ascii_digit()
                        || before.is_ascii_uppercase() && next_is_lower;
                    if byte.is_ascii_uppercase() && hump {
                        folded.push(b'_')?;
                    }
                    folded.push(byte.to_ascii_lowercase())?;
                }
            }
            before = byte;
        }
        Some(folded)
    }

    /// What is known of an end of the key, the longest first: whole parts, and what follows words at their head that change nothing.
    pub(super) fn longest_end<T>(
        &self,
        is_filler: impl Fn(&[u8]) -> bool,
        known: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let parts = self.parts.get(..usize::from(self.count))?;
        parts.iter().find_map(|part| {
            let mut end = self.text().get(usize::from(*part)..)?;
            loop {
                if let Some(found) = known(end) {
                    return Some(found);
                }
                let word = memchr(b'_', end)?;
                if !is_filler(end.get(..word)?) {
                    return None;
                }
                end = end.get(word + 1..)?;
            }
        })
    }

    fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or(&[])
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.text.get_mut(usize::from(self.len))? = byte;
        self.len += 1;
        Some(())
    }

    fn begin_part(&mut self) {
        if let Some(part) = self.parts.get_mut(usize::from(self.count)) {
            *part = self.len;
            self.count += 1;
        }
    }
}
