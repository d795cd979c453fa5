//! How words and names are looked up.

use spanmill_otlp::KeyTable;

/// Spellings of words, looked up without regard to case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words<T> {
    table: KeyTable,
    meanings: Vec<T>,
}

/// Beginnings of words, told apart by their first byte.
#[derive(Debug)]
pub(super) struct Prefixes {
    first: [bool; 256],
    all: Vec<String>,
}

/// The longest word that is looked up; longer texts are no words of a vocabulary.
const LONGEST: usize = 64;

// === impl Words ===

impl<T> Words<T> {
    pub(crate) fn new(entries: impl IntoIterator<Item = (String, T)>) -> Self {
        let (spellings, meanings): (Vec<String>, Vec<T>) =
            entries.into_iter().map(|(word, meaning)| (word.trim().to_ascii_lowercase(), meaning)).unzip();
        Self { table: KeyTable::new(&spellings), meanings }
    }

    /// The meaning of a word.
    pub(crate) fn get(&self, word: &str) -> Option<&T> {
        if self.meanings.is_empty() {
            return None;
        }
        // Mostly it is spelled right.
        if let Some(slot) = self.table.get(word.as_bytes()) {
            return self.meanings.get(usize::from(slot));
        }
        let word = word.as_bytes().trim_ascii();
        let mut lower = [0u8; LONGEST];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        self.meanings.get(usize::from(self.table.get(lower)?))
    }
}

// === impl Prefixes ===

impl Prefixes {
    pub(super) fn new(all: Vec<String>) -> Self {
        let mut first = [false; 256];
        for byte in all.iter().filter_map(|prefix| prefix.bytes().next()) {
            if let Some(known) = first.get_mut(usize::from(byte)) {
                *known = true;
            }
        }
        Self { first, all }
    }

    /// Whether the word begins with one of them.
    #[inline]
    pub(super) fn start(&self, word: &[u8]) -> bool {
        let possible = word.first().and_then(|byte| self.first.get(usize::from(*byte)).copied());
        possible == Some(true) && self.all.iter().any(|prefix| word.starts_with(prefix.as_bytes()))
    }
}

/// Whether a host is that one or one below it; a `*` in a pattern stands for anything.
pub(super) fn is_host(host: &str, pattern: &str) -> bool {
    let ends_with = |end: &str| {
        let start = host.len().checked_sub(end.len());
        start.and_then(|start| host.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    match pattern.split_once('*') {
        None => {
            let below = host.len().checked_sub(pattern.len() + 1).and_then(|dot| host.as_bytes().get(dot));
            ends_with(pattern) && (host.len() == pattern.len() || below == Some(&b'.'))
        }
        Some((head, tail)) => {
            let starts = host.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head));
            starts && ends_with(tail) && host.len() > head.len() + tail.len()
        }
    }
}

/// Whether a model's name ends with the date of a snapshot: `gpt-4o-2024-08-06`, `gpt-4-0613`. Where an `@` is before it, it is
/// a part of the name that one asks for.
pub(crate) fn names_snapshot(model: &str) -> bool {
    let name = model.trim_end_matches(|character: char| character.is_ascii_digit() || character == '-');
    let date = model.get(name.len()..).unwrap_or_default();
    date.starts_with('-') && date.bytes().filter(u8::is_ascii_digit).count() >= 4
}
