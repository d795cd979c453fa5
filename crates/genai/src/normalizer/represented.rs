//! Whether what a text says stands in another: an original is removed only then.

use memchr::memmem;
use serde_json::Value as Json;

/// Members whose words are brought to others, or say nothing beside what has been understood.
const TRANSLATED: &[&str] = &["role", "author", "type", "kind", "finish_reason", "finishReason", "stop_reason"];

/// More looking than this, in bytes, is not worth it.
const BUDGET: usize = 64 << 20;

/// How deep documents may be nested in one another.
const DEEPEST: u8 = 32;

/// Looks for texts in what was written, which is JSON.
pub(super) struct Search<'w> {
    written: &'w str,
    /// Where the last text was found: the next one is mostly not far behind it.
    at: usize,
    budget: usize,
}

// === impl Search ===

impl<'w> Search<'w> {
    pub(super) fn new(written: &'w str) -> Self {
        Self { written, at: 0, budget: BUDGET }
    }

    /// Whether everything that a text, a document or words, says stands there.
    pub(super) fn finds(&mut self, text: &str) -> bool {
        self.has_text(text, 0)
    }

    fn has_text(&mut self, text: &str, depth: u8) -> bool {
        if self.contains(text) {
            return true;
        }
        let document = text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str::<Json>(text).ok());
        document.flatten().is_some_and(|json| self.has(&json, depth + 1))
    }

    fn has(&mut self, json: &Json, depth: u8) -> bool {
        if depth > DEEPEST {
            return false;
        }
        match json {
            Json::Null | Json::Bool(_) => true,
            Json::Number(number) => self.contains(&number.to_string()),
            Json::String(text) => self.has_text(text, depth),
            Json::Array(items) => items.iter().all(|item| self.has(item, depth + 1)),
            Json::Object(members) => members
                .iter()
                .filter(|(name, _)| !TRANSLATED.contains(&name.as_str()))
                .all(|(_, member)| self.has(member, depth + 1)),
        }
    }

    /// Whether a text stands there, as it is or as JSON has it.
    fn contains(&mut self, text: &str) -> bool {
        let text = text.trim();
        let escaped = Json::from(text).to_string();
        let escaped = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or(text);
        self.find_from(self.at, escaped) || self.find_from(0, escaped) || (escaped != text && self.find_from(0, text))
    }

    fn find_from(&mut self, start: usize, text: &str) -> bool {
        let Some(rest) = self.written.as_bytes().get(start..).filter(|rest| rest.len() <= self.budget) else {
            return false;
        };
        let found = memmem::find(rest, text.as_bytes());
        self.budget -= found.unwrap_or(rest.len());
        self.at = found.map_or(self.at, |found| start + found);
        found.is_some()
    }
}
