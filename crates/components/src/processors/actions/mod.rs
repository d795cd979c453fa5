//! What the Collector calls attraction: a list of actions on attributes, shared by the processors `attributes` and `resource`.
//!
//! The keys that actions name are numbered at start. Each message is read once into a [`Sheet`](sheet::Sheet), the actions run on that, and
//! what changed becomes one patch.

mod config;
mod convert;
mod origin;
pub(super) mod sheet;

#[cfg(test)]
mod tests;

use regex::bytes::{CaptureLocations, Regex};
use spanmill_otlp::{KeyTable, Message, Part, Patch, Slot};

pub(super) use config::ActionConfig;

use super::literal::Literal;
use convert::ConvertTo;
use origin::Origin;
use sheet::{Now, Reader, Sheet};

/// Actions in the order in which they are applied.
#[derive(Debug)]
pub(super) struct Actions {
    actions: Vec<Action>,
    /// All keys that actions name, by slot.
    names: Vec<String>,
    table: KeyTable,
    /// What is asked of the client, by [`Source::origin`].
    origins: Vec<Origin>,
    /// Whether attributes are also named by patterns, so that all have to be read.
    patterns: bool,
}

#[derive(Debug)]
enum Action {
    Delete { key: Slot, keys: Option<KeyPattern> },
    Hash { key: Slot, keys: Option<KeyPattern> },
    Set { key: Slot, when: When, source: Source },
    Extract { key: Slot, pattern: Regex, targets: Vec<Slot> },
    Convert { key: Slot, to: ConvertTo },
}

/// Keys that match a pattern.
#[derive(Debug)]
struct KeyPattern {
    pattern: Regex,
    /// Whether the key of that slot does.
    known: Vec<bool>,
}

/// On which attributes a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Absent,
    Present,
    Always,
}

/// Where a value is taken from: the first that has one.
#[derive(Debug, Default)]
struct Source {
    value: Option<Literal>,
    origin: Option<usize>,
    attribute: Option<Slot>,
    default: Option<Literal>,
}

/// Applies actions to one message after the other, of one request.
pub(super) struct Editor<'a> {
    actions: &'a Actions,
    /// What the client of this request says, by [`Source::origin`].
    given: Vec<Option<Literal>>,
    reader: Reader,
    locations: Vec<Option<CaptureLocations>>,
    patch: Patch,
}

// === impl Actions ===

impl Actions {
    /// For messages of a kind, of the request that is being consumed.
    pub(super) fn editor(&self, part: Part) -> Editor<'_> {
        let locations = self.actions.iter().map(|action| match action {
            Action::Extract { pattern, .. } => Some(pattern.capture_locations()),
            _ => None,
        });
        Editor {
            actions: self,
            given: self.origins.iter().map(Origin::get).collect(),
            reader: Reader::new(part, self.patterns),
            locations: locations.collect(),
            patch: Patch::new(part),
        }
    }
}

// === impl Editor ===

impl Editor<'_> {
    /// What the actions change in a message; an empty patch where that is nothing.
    pub(super) fn edit(&mut self, message: Message<'_>) -> &Patch {
        let Self { actions, given, reader, locations, patch } = self;
        let mut sheet = reader.read(&actions.table, message);
        for (action, locations) in actions.actions.iter().zip(locations) {
            action.apply(&mut sheet, given, locations.as_mut());
        }
        patch.clear();
        sheet.write(&actions.names, patch);
        reader.take_back(sheet);
        patch
    }
}

// === impl Action ===

impl Action {
    fn apply<'t>(
        &'t self,
        sheet: &mut Sheet<'t>,
        given: &'t [Option<Literal>],
        locations: Option<&mut CaptureLocations>,
    ) {
        match self {
            Self::Delete { key, keys } => {
                sheet.remove(*key);
                if let Some(keys) = keys {
                    sheet.remove_all(|slot| keys.known(slot), |key| keys.pattern.is_match(key));
                }
            }
            Self::Hash { key, keys } => {
                sheet.edit(*key, convert::hash);
                if let Some(keys) = keys {
                    sheet.edit_all(|slot| keys.known(slot), |key| keys.pattern.is_match(key), convert::hash);
                }
            }
            Self::Set { key, when, source } => {
                if let Some(value) = source.get(sheet, given)
                    && when.includes(sheet.has(*key))
                {
                    sheet.set(*key, value);
                }
            }
            Self::Extract { key, pattern, targets } => {
                // The text is a copy where an action before made it: extraction writes to where that lies.
                let (Some(text), Some(locations)) = (sheet.text(*key), locations) else { return };
                if pattern.captures_read(locations, &text).is_none() {
                    return;
                }
                for (group, target) in targets.iter().enumerate() {
                    let range = locations.get(group + 1).map_or(0..0, |(start, end)| start..end);
                    sheet.set_text(*target, text.get(range).unwrap_or(&[]));
                }
            }
            Self::Convert { key, to } => sheet.edit(*key, |value, out| to.convert(value, out)),
        }
    }
}

// === impl KeyPattern ===

impl KeyPattern {
    fn new(pattern: Regex) -> Self {
        Self { pattern, known: Vec::new() }
    }

    fn known(&self, slot: usize) -> bool {
        self.known.get(slot).copied().unwrap_or(false)
    }
}

// === impl When ===

impl When {
    fn includes(self, present: bool) -> bool {
        match self {
            Self::Absent => !present,
            Self::Present => present,
            Self::Always => true,
        }
    }
}

// === impl Source ===

impl Source {
    fn get<'t>(&'t self, sheet: &Sheet<'t>, given: &'t [Option<Literal>]) -> Option<Now<'t>> {
        let given = self.origin.and_then(|origin| given.get(origin)?.as_ref());
        let literal = |literal: &'t Literal| Now::Value(literal.value());
        self.value
            .as_ref()
            .or(given)
            .map(literal)
            .or_else(|| sheet.get(self.attribute?))
            .or_else(|| self.default.as_ref().map(literal))
    }
}
