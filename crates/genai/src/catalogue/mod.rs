//! All sources, compiled at start: one table from attribute keys to slots, and for each slot and source the rules that
//! apply. The cost of a span does not grow with the number of sources.

mod compile;
mod folded;
mod rule;
mod source;
mod tails;

use spanmill_otlp::{KeyTable, Slot};
use thiserror::Error;

pub(crate) use self::rule::Rule;
pub(crate) use self::source::Source;
pub(crate) use self::tails::{BELOW, Below, Tails, is_answer};
use crate::messages::split_flat;
use crate::pattern::Pattern;
use crate::target::{self, Names, Target};
use crate::vocabulary::Vocabulary;

/// A file of knowledge is wrong.
#[derive(Debug, Error)]
#[error("{file}: {message}")]
pub struct CatalogueError {
    file: String,
    message: String,
}

/// Number of a source; the last column of the table is that of unrecognised spans.
pub(crate) type SourceIx = u8;

/// The rules for one key and one source, as a range.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    start: u16,
    count: u16,
}

/// What is to be done with a key on spans of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// To be looked at with everything else that was found.
    Look,
    /// It is the name of that target, and a value of its type only has to stay.
    Stay(Target),
    /// It is the name of that target, and has this priority; nothing else is to be thought of where its type is right.
    Plain(Target, u16),
}

/// What is known of a slot, whatever the source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SlotInfo {
    /// Sources that this key marks, as bits.
    pub(crate) markers: u128,
    /// Whether the key makes a span a GenAI one.
    pub(crate) signals: bool,
    /// Whether its value may tell the source.
    pub(crate) equals: bool,
    /// Whether the key may be a piece of a flattened document.
    pub(crate) flat: bool,
    /// Whether it is the end of keys, which tells only of spans of sources that nobody knows, and of their events.
    pub(crate) end: bool,
    /// Whether its value may be what a provider answered, as a whole.
    pub(crate) answer: bool,
    /// What an end of a key hints at: of [`HINTS`], all together make a span a GenAI one.
    pub(crate) hints: u8,
}

/// Who counts tokens and names a model speaks of a call, whatever the keys stand below.
pub(crate) const HINTS: u8 = HINTS_TOKENS | HINTS_MODEL;
const HINTS_TOKENS: u8 = 1;
pub(crate) const HINTS_MODEL: u8 = 2;

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) keys: KeyTable,
    pub(crate) tails: Tails,
    pub(crate) slots: Vec<SlotInfo>,
    pub(crate) sources: Vec<Source>,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) first_token_events: KeyTable,
    /// Events that mark a source, and whose they are.
    events: (KeyTable, Vec<SourceIx>),
    /// Prefixes of keys that documents of messages are flattened to, and the attributes they are for.
    pub(crate) flattened: Vec<(Box<str>, Target)>,
    /// The first bytes of those prefixes.
    flat_heads: Vec<u8>,
    key_names: Vec<Box<str>>,
    pub(crate) names: Names,
    scopes: Vec<(Pattern, Option<Pattern>, SourceIx)>,
    equals: Vec<(Slot, Box<[u8]>, SourceIx)>,
    cells: Vec<Cell>,
    plans: Vec<Plan>,
    rules: Vec<Rule>,
}

/// Priorities of rules that are not the source's own.
pub(crate) const GENERIC: u16 = 1_000;
/// Whether a key tells by itself that its span is one of GenAI.
#[inline]
pub(crate) fn is_genai(key: &[u8]) -> bool {
    key.starts_with(b"gen_ai.") || key.starts_with(b"llm.")
}

// === impl CatalogueError ===

impl CatalogueError {
    pub(crate) fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into() }
    }
}

// === impl Catalogue ===

impl Catalogue {
    /// The column of spans that no source claims.
    pub(crate) fn unrecognised(&self) -> SourceIx {
        self.sources.len() as SourceIx
    }

    /// The keys that some source takes, as a whole, for something that is content.
    pub(crate) fn content_keys(&self) -> impl Iterator<Item = &str> {
        let columns = self.sources.len() as SourceIx;
        let takes = move |slot: Slot| {
            (0..=columns).any(|source| {
                self.rules(slot, source).iter().any(|rule| {
                    rule.path.is_none()
                        && target::TARGETS
                            .get(usize::from(rule.target))
                            .is_some_and(|(name, _)| target::holds_content(name))
                })
            })
        };
        self.key_names.iter().enumerate().filter(move |(slot, _)| takes(*slot as Slot)).map(|(_, name)| &**name)
    }

    /// The source that a scope belongs to.
    pub(crate) fn source_of_scope(&self, name: &str, version: &str) -> Option<SourceIx> {
        self.scopes
            .iter()
            .find(|(pattern, versions, _)| {
                pattern.is_match(name) && versions.as_ref().is_none_or(|versions| versions.is_match(version))
            })
            .map(|(_, _, source)| *source)
    }

    /// Which of these keys marks a source, or tells it by its value.
    pub(crate) fn mark_of<'k>(&self, source: SourceIx, keys: impl Iterator<Item = &'k str>) -> Option<&'k str> {
        let mut keys = keys;
        keys.find(|key| {
            let Some(slot) = self.keys.get(key.as_bytes()) else { return false };
            let marks = self.slots.get(usize::from(slot)).is_some_and(|info| info.markers & 1 << source != 0);
            marks || self.equals.iter().any(|(known, _, owner)| *known == slot && *owner == source)
        })
    }

    /// The source that a value of a key tells.
    pub(crate) fn source_of_value(&self, slot: Slot, value: &[u8]) -> Option<SourceIx> {
        self.equals.iter().find(|(key, known, _)| *key == slot && **known == *value).map(|(_, _, source)| *source)
    }

    /// The source that alone writes events of a name.
    pub(crate) fn source_of_event(&self, name: &[u8]) -> Option<SourceIx> {
        let (names, owners) = &self.events;
        owners.get(usize::from(names.get(name)?)).copied()
    }

    /// The name of a key.
    pub(crate) fn name(&self, slot: Slot) -> &[u8] {
        self.key_names.get(usize::from(slot)).map_or(&[], |name| name.as_bytes())
    }

    /// Whether a key is worth asking [`Self::flattened`] about.
    #[inline]
    pub(crate) fn may_be_flat(&self, key: &[u8]) -> bool {
        key.first().is_some_and(|first| self.flat_heads.contains(first))
    }

    /// What a key that nobody knows says by its end. Pieces of flattened documents say nothing beside.
    pub(crate) fn below<'k>(&self, key: &'k [u8]) -> Option<Below<'k>> {
        if self.may_be_flat(key) && self.flattened(key).is_some() {
            return None;
        }
        match self.tails.find(key)? {
            Below::Nested(rest) if self.flattened(rest).is_none() => self.tails.known(rest).map(Below::Known),
            below => Some(below),
        }
    }

    /// What a key of a flattened document consists of: the number of its prefix, and what follows that.
    pub(crate) fn flattened<'k>(&self, key: &'k [u8]) -> Option<(usize, &'k str)> {
        split_flat(self.flattened.iter().map(|(prefix, _)| &**prefix), key)
    }

    /// The rules for a key.
    #[inline]
    pub(crate) fn rules(&self, slot: Slot, source: SourceIx) -> &[Rule] {
        let at = usize::from(slot) * (self.sources.len() + 1) + usize::from(source);
        let Some(cell) = self.cells.get(at) else { return &[] };
        self.rules.get(usize::from(cell.start)..usize::from(cell.start) + usize::from(cell.count)).unwrap_or(&[])
    }

    /// What is to be done with a key.
    #[inline]
    pub(crate) fn plan(&self, slot: Slot, source: SourceIx) -> Plan {
        let at = usize::from(slot) * (self.sources.len() + 1) + usize::from(source);
        self.plans.get(at).copied().unwrap_or(Plan::Look)
    }

    /// The slot of a key in an event that is read as if it were the span's own: never the attribute of the conventions itself,
    /// since the span does not have it.
    pub(crate) fn slot_in_event(&self, key: &[u8], source: SourceIx) -> Option<Slot> {
        let own = self.keys.get(key).filter(|_| source != self.unrecognised());
        own.filter(|slot| self.rules(*slot, source).iter().any(|rule| !rule.canonical))
            .or_else(|| self.tails.known(key))
    }

    /// What is known of sources that nobody knows.
    pub(crate) fn generic(&self) -> Option<&Source> {
        self.sources.first()
    }

    pub(crate) fn source(&self, source: SourceIx) -> Option<&Source> {
        self.sources.get(usize::from(source))
    }
}
