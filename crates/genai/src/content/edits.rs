//! Hashing and cutting the texts of a document, so that its structure stays.

use serde_json::value::RawValue;

use super::data::is_note;
use super::digest::{Digest, is_hash};
use super::json::{Edit, decode, encode, encoded_len};
use super::place::{Mode, Place};

/// Puts hashes in the place of what is said.
pub(super) struct HashEdit<'a> {
    pub(super) digest: &'a Digest,
}

/// Measures the texts that can be cut.
#[derive(Debug, Default)]
pub(super) struct Measure {
    pub(super) lengths: Vec<usize>,
}

/// Cuts texts that are longer than `longest`, once encoded.
pub(super) struct CutEdit {
    pub(super) longest: usize,
}

/// No text is cut to less: what is left of it tells how much went.
const SHORTEST: usize = 64;

/// The most that is written behind a text that was cut.
const LONGEST_MARK: usize = 44;

// === impl HashEdit ===

impl HashEdit<'_> {
    pub(super) fn hash(&self, text: &str) -> Option<String> {
        let done = text.is_empty() || is_hash(text) || is_note(text);
        (!done).then(|| self.digest.hash(text.as_bytes()))
    }
}

impl Edit for HashEdit<'_> {
    /// What is given to a tool, or comes from it, has one hash.
    fn whole(&mut self, raw: &RawValue, place: Place<'_>) -> Option<String> {
        if place.mode != Mode::Payload || raw.get() == "null" {
            return None;
        }
        let text = decode(raw.get());
        self.hash(text.as_deref().unwrap_or(raw.get())).map(|hash| encode(&hash))
    }

    fn text(&mut self, text: &str, _: usize, place: Place<'_>) -> Option<String> {
        if place.is_structural(text) { None } else { self.hash(text) }
    }
}

// === impl Measure ===

impl Measure {
    /// How long texts may be for all to fit, beside what cannot be cut.
    pub(super) fn longest(mut self, whole: usize, most: usize) -> usize {
        let fixed = whole.saturating_sub(self.lengths.iter().sum());
        let mut left = most.saturating_sub(fixed);
        self.lengths.sort_unstable();
        let count = self.lengths.len();
        for (at, length) in self.lengths.into_iter().enumerate() {
            let share = left / (count - at);
            if length > share {
                return share.max(SHORTEST);
            }
            left -= length;
        }
        usize::MAX
    }
}

impl Edit for Measure {
    fn text(&mut self, text: &str, encoded: usize, place: Place<'_>) -> Option<String> {
        if !place.is_structural(text) {
            self.lengths.push(encoded);
        }
        None
    }
}

// === impl CutEdit ===

impl Edit for CutEdit {
    fn text(&mut self, text: &str, encoded: usize, place: Place<'_>) -> Option<String> {
        if encoded <= self.longest || place.is_structural(text) {
            return None;
        }
        Some(cut(text, self.longest, encoded_len))
    }
}

/// A text, cut at a character so that it takes no more than `longest` bytes, and how many of its bytes went.
pub(super) fn cut(text: &str, longest: usize, len: fn(char) -> usize) -> String {
    let (body, before) = unmarked(text);
    let mut left = longest.max(SHORTEST).saturating_sub(LONGEST_MARK);
    let end = body.char_indices().find_map(|(at, character)| match left.checked_sub(len(character)) {
        Some(rest) => {
            left = rest;
            None
        }
        None => Some(at),
    });
    let kept = body.get(..end.unwrap_or(body.len())).unwrap_or_default();
    format!("{kept}…[truncated {} bytes]", (body.len() - kept.len()).saturating_add(before))
}

/// What was left of a text that was cut before, and how much went then.
fn unmarked(text: &str) -> (&str, usize) {
    let cut = text.strip_suffix(" bytes]").and_then(|rest| rest.rsplit_once("…[truncated "));
    match cut.and_then(|(body, bytes)| Some((body, bytes.parse().ok()?))) {
        Some(found) => found,
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a text of characters of several bytes is cut, and cut again.
    /// Guarantees: it is cut between characters, stays within its limit, and tells how much is gone in all.
    #[test]
    fn texts_are_cut_between_characters() {
        let text = "prä€fix\n".repeat(100);
        let once = cut(&text, 200, encoded_len);
        assert!(once.chars().map(encoded_len).sum::<usize>() <= 200, "{once}");
        let twice = cut(&once, 100, encoded_len);
        let (kept, gone) = unmarked(&twice);
        assert!(text.starts_with(kept) && kept.len() + gone == text.len(), "{twice}");
    }

    /// Scenario: short and long texts share a limit.
    /// Guarantees: short ones are left, and long ones share what is left over; where nothing is, each keeps a little.
    #[test]
    fn long_texts_share_what_short_ones_leave() {
        let measure = |lengths: &[usize]| Measure { lengths: lengths.to_vec() };
        assert_eq!(measure(&[100, 1_000, 1_000]).longest(2_200, 1_100), 450);
        assert_eq!(measure(&[100, 200]).longest(400, 1_000), usize::MAX);
        assert_eq!(measure(&[500, 500]).longest(5_000, 1_000), SHORTEST);
    }
}
