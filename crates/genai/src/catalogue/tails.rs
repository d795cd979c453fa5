//! Ends of keys that mean the same below whatever name: `acme.llm.model_name`, `ag.metrics.unit.tokens.prompt`. The last
//! resort for spans of sources that nobody knows.

use memchr::{memchr, memmem};
use spanmill_otlp::{KeyTable, Slot};

use super::folded::{Folded, fold};
use super::is_genai;

/// How a source file writes that something may stand before a key.
pub(crate) const BELOW: &str = "*.";

/// The ends of keys that are known.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    table: KeyTable,
    slots: Vec<Slot>,
    /// The ends in one manner of writing, and the slots of the first that is so written.
    folded: KeyTable,
    folded_slots: Vec<Slot>,
    /// Which letters the ends end with, as bits.
    last: [u64; 4],
    /// Words at the head of a part that change nothing of what the rest means.
    fillers: KeyTable,
    /// First parts of keys of the conventions that are none of GenAI.
    others: KeyTable,
}

/// What stands below a name that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below<'k> {
    Known(Slot),
    /// A key of GenAI that is not known as a whole; it may be a piece of a flattened document, or have an end that is known.
    Nested(&'k [u8]),
}

/// How providers call the tokens of an answer; the usage stands near the end of what they say.
const OUTPUT_COUNTS: [&[u8]; 6] = [
    b"completion_tokens",
    b"output_tokens",
    b"outputTokens",
    b"completionTokens",
    b"candidatesTokenCount",
    b"candidates_token_count",
];
const NEAR_THE_END: usize = 2_048;

/// Whether a text is what a provider answered, as JSON or as Python prints it.
pub(crate) fn is_answer(text: &[u8]) -> bool {
    let end = text.get(text.len().saturating_sub(NEAR_THE_END)..).unwrap_or(text);
    matches!(text.last(), Some(b'}' | b')')) && OUTPUT_COUNTS.iter().any(|count| memmem::find(end, count).is_some())
}

/// Keys have no more parts.
const DEEPEST: usize = 8;

// === impl Tails ===

impl Tails {
    /// Ends of keys with their slots. `others` are first parts of keys below which nothing is looked for, `fillers` words that may
    /// stand before an end in the same part.
    pub(super) fn new<'n>(ends: impl Iterator<Item = (&'n str, Slot)>, others: &[String], fillers: &[String]) -> Self {
        let (names, slots): (Vec<&str>, Vec<Slot>) = ends.unzip();
        let mut folded: Vec<(String, Slot)> = Vec::new();
        for (name, slot) in names.iter().zip(&slots) {
            let text = fold(name);
            if !folded.iter().any(|(known, _)| *known == text) {
                folded.push((text, *slot));
            }
        }
        let (texts, folded_slots): (Vec<String>, Vec<Slot>) = folded.into_iter().unzip();
        let mut last = [0; 4];
        for byte in names.iter().filter_map(|name| name.bytes().last()).map(|byte| byte.to_ascii_lowercase()) {
            if let Some(bits) = last.get_mut(usize::from(byte >> 6)) {
                *bits |= 1u64 << (byte & 63);
            }
        }
        Self {
            table: KeyTable::new(names),
            slots,
            folded: KeyTable::new(texts),
            folded_slots,
            last,
            fillers: KeyTable::new(fillers),
            others: KeyTable::new(others),
        }
    }

    /// What a key says that is not known as a whole: its longest end that is, as it is written or in another manner.
    pub(crate) fn find<'k>(&self, key: &'k [u8]) -> Option<Below<'k>> {
        let first = memchr(b'.', key).map_or(key, |dot| key.get(..dot).unwrap_or(key));
        if self.others.get(first).is_some() {
            return None;
        }
        let may_be_known = self.may_end(key);
        let mut rest = key;
        for depth in 0..DEEPEST {
            if may_be_known && let Some(at) = self.table.get(rest) {
                // `prompt.tokens` is more than the `tokens` that it ends with.
                let longer = if depth > 0 { self.written_otherwise(key) } else { None };
                return longer.or_else(|| self.slots.get(usize::from(at)).copied()).map(Below::Known);
            }
            if depth > 0 && is_genai(rest) {
                return Some(Below::Nested(rest));
            }
            let Some(dot) = memchr(b'.', rest) else {
                return if may_be_known { self.written_otherwise(key).map(Below::Known) } else { None };
            };
            rest = rest.get(dot + 1..)?;
        }
        None
    }

    /// The slot of a key whose end is known in another manner of writing: `PromptTokens`, `prompt-tokens`, `usage_prompt_tokens`.
    fn written_otherwise(&self, key: &[u8]) -> Option<Slot> {
        let is_filler = |word: &[u8]| self.fillers.get(word).is_some();
        let at = Folded::new(key)?.longest_end(is_filler, |end| self.folded.get(end))?;
        self.folded_slots.get(usize::from(at)).copied()
    }

    /// The slot of a key, if an end of it is known.
    pub(crate) fn known(&self, key: &[u8]) -> Option<Slot> {
        match self.find(key)? {
            Below::Known(slot) => Some(slot),
            Below::Nested(_) => None,
        }
    }

    fn may_end(&self, key: &[u8]) -> bool {
        key.last().map(u8::to_ascii_lowercase).is_some_and(|byte| {
            self.last.get(usize::from(byte >> 6)).is_some_and(|bits| bits & 1u64 << (byte & 63) != 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tails() -> Tails {
        let ends = ["tokens.prompt", "prompt_tokens", "llm.model_name", "cached_tokens", "tokens"];
        Tails::new(ends.into_iter().zip(10..), &["http".to_owned()], &["usage".to_owned()])
    }

    /// *Scenario:* the same ends with capitals, dashes, dots and underscores, below a name, and after a word that changes nothing.
    /// *Guarantees:* each is the end that it is; a word that does change something makes it another key.
    #[test]
    fn ends_in_other_manners_of_writing() {
        let tails = tails();
        for key in [
            "promptTokens",
            "acme.PromptTokens",
            "Acme.Usage.prompt-tokens",
            "acme.prompt.tokens",
            "acme.usage_prompt_tokens",
        ] {
            assert_eq!(tails.find(key.as_bytes()), Some(Below::Known(11)), "{key}");
        }
        assert_eq!(tails.find(b"acme.tokensPrompt"), Some(Below::Known(10)));
        assert_eq!(tails.find(b"acme.cached.tokens"), Some(Below::Known(13)), "the longer end");
        for key in ["acme.max_prompt_tokens", "acme.usageless_prompt_tokens", "maxPromptTokens", "acme.prompttokens"] {
            assert_eq!(tails.find(key.as_bytes()), None, "{key}");
        }
    }

    /// *Scenario:* keys below names of somebody's own, one or several parts long, and one without any.
    /// *Guarantees:* the longest known end counts, wherever it begins after a dot.
    #[test]
    fn ends_of_keys_are_found() {
        let tails = tails();
        assert_eq!(tails.find(b"ag.metrics.unit.tokens.prompt"), Some(Below::Known(10)));
        assert_eq!(tails.find(b"prompt_tokens"), Some(Below::Known(11)));
        assert_eq!(tails.find(b"acme.llm.model_name"), Some(Below::Known(12)));
        assert_eq!(tails.find(b"acme.llm.input_messages.0.role"), Some(Below::Nested(b"llm.input_messages.0.role")));
        assert_eq!(tails.find(b"acme.my_prompt_tokens"), None);
    }

    /// *Scenario:* keys of other conventions, a key of nothing but dots, one with very many parts, an empty one.
    /// *Guarantees:* none is taken for anything.
    #[test]
    fn other_keys_are_left_alone() {
        let tails = tails();
        let deep = format!("{}prompt_tokens", "a.".repeat(100));
        for key in ["http.prompt_tokens", "http.request.method", "....", "", deep.as_str()] {
            assert_eq!(tails.find(key.as_bytes()), None, "{key}");
        }
    }
}
