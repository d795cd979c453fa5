//! What was made of recent words: providers, operations, models and finish reasons repeat from span to span.

use spanmill_otlp::short::{hash, is_same};

/// The last meanings of words by a cheap hash.
#[derive(Debug)]
pub(crate) struct Memo<'a, T> {
    known: [Option<(&'a [u8], T)>; PLACES],
}

const PLACES: usize = 32;

// === impl Memo ===

impl<T: Copy> Default for Memo<'_, T> {
    fn default() -> Self {
        Self { known: [None; PLACES] }
    }
}

impl<'a, T: Copy> Memo<'a, T> {
    /// The meaning of a word, worked out where it is not remembered.
    #[inline]
    pub(crate) fn get(&mut self, word: &'a [u8], meaning: impl FnOnce(&'a [u8]) -> T) -> T {
        let place = hash(word) as usize % PLACES;
        match self.known.get(place) {
            Some(Some((known, meaning))) if is_same(known, word) => *meaning,
            _ => {
                let meaning = meaning(word);
                if let Some(known) = self.known.get_mut(place) {
                    *known = Some((word, meaning));
                }
                meaning
            }
        }
    }

    /// Forgets everything: words mean something else from here on.
    pub(crate) fn clear(&mut self) {
        self.known = [None; PLACES];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: words that share a place, and a word again after others.
    /// Guarantees: each has its own meaning, and one that is remembered is not worked out again.
    #[test]
    fn remembers_words() {
        let mut memo = Memo::default();
        for word in [&b"stop"[..], b"stop", b"", b"length", b"stxp", b"sbop", b"stop"] {
            assert_eq!(memo.get(word, |word| (word.len(), word.first().copied())), (word.len(), word.first().copied()));
        }
        assert_eq!(memo.get(b"length", |_| unreachable!("it is remembered")), (6, Some(b'l')));
        memo.clear();
        assert_eq!(memo.get(b"length", |_| (0, None)), (0, None));
    }
}
