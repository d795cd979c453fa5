//! A source, compiled: its keys are numbered, so that a span costs one look-up an attribute.

use spanmill_otlp::{KeyTable, Slot};

use super::builtin::{self, Builtin, PARAMETERS, When};
use super::config::Source;
use super::conventions::{self as to, Kind, kind};
use crate::messages::split_flat;

/// A compiled source.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) mappings: Vec<Mapping>,
    pub(super) documents: Vec<Document>,
    pub(super) flattened: Vec<Flattened>,
    /// The attribute that holds parameters of the request, and what its members are.
    pub(super) parameters: Option<(Slot, Vec<(&'static str, Target)>)>,
    /// What is looked at or written, whatever the source maps.
    pub(super) known: Known,
    pub(super) words: Words,
    pub(super) remove_originals: bool,
    pub(super) overwrite: bool,
    keys: KeyTable,
    names: Vec<Box<str>>,
    /// Slots below this one are attributes that mean something; the others are only written.
    sources: Slot,
}

/// An attribute to be written, and its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) slot: Slot,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) from: Slot,
    pub(super) to: Target,
    pub(super) when: When,
}

#[derive(Debug)]
pub(super) struct Document {
    pub(super) from: Slot,
    pub(super) to: Slot,
    pub(super) when: When,
    pub(super) any_text: bool,
}

/// A prefix of keys, with its dot, and the attribute that the list is for.
#[derive(Debug)]
pub(super) struct Flattened {
    pub(super) prefix: &'static str,
    pub(super) to: Slot,
}

/// Slots of attributes of the conventions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) operation: Slot,
    pub(super) finish_reasons: Slot,
    pub(super) output_tokens: Slot,
    pub(super) output: Slot,
    pub(super) system: Slot,
    pub(super) tools: Slot,
    pub(super) retrieved: Slot,
}

/// What texts become.
#[derive(Debug)]
pub(super) enum Words {
    /// Names of operations, without regard to case; providers have their well-known names.
    Builtin { operations: &'static [(&'static str, &'static str)], operation: Slot, provider: Slot },
    /// By attribute, the very text.
    Own(Vec<(Slot, Vec<(String, String)>)>),
}

/// Gives numbers to keys.
#[derive(Default)]
struct Slots(Vec<Box<str>>);

// === impl Slots ===

impl Slots {
    fn of(&mut self, name: &str) -> Slot {
        let known = self.0.iter().position(|known| **known == *name);
        let at = known.unwrap_or_else(|| {
            self.0.push(name.into());
            self.0.len() - 1
        });
        // A table holds no more keys than that, and finds no other.
        Slot::try_from(at).unwrap_or(Slot::MAX)
    }

    fn target(&mut self, name: &str) -> Target {
        Target { slot: self.of(name), kind: kind(name) }
    }
}

// === impl Plan ===

impl Plan {
    pub(super) fn new(source: &Source) -> Self {
        let builtin = builtin::find(&source.name);
        let mut slots = Slots::default();
        match builtin {
            Some(builtin) => {
                let keys = builtin.mappings.iter().map(|mapping| mapping.from);
                keys.chain(builtin.documents.iter().map(|document| document.from))
                    .chain(builtin.parameters)
                    .for_each(|key| _ = slots.of(key));
            }
            None => source.mappings.iter().for_each(|(from, _)| _ = slots.of(from)),
        }
        let sources = Slot::try_from(slots.0.len()).unwrap_or(Slot::MAX);
        let known = Known {
            operation: slots.of(to::OPERATION),
            finish_reasons: slots.of(to::FINISH_REASONS),
            output_tokens: slots.of("gen_ai.usage.output_tokens"),
            output: slots.of(to::OUTPUT_MESSAGES),
            system: slots.of(to::SYSTEM_INSTRUCTIONS),
            tools: slots.of(to::TOOL_DEFINITIONS),
            retrieved: slots.of(to::RETRIEVAL_DOCUMENTS),
        };
        let mut plan = Self {
            mappings: Vec::new(),
            documents: Vec::new(),
            flattened: Vec::new(),
            parameters: None,
            known,
            words: Words::Own(Vec::new()),
            remove_originals: source.remove_originals,
            overwrite: source.overwrite,
            keys: KeyTable::default(),
            names: Vec::new(),
            sources,
        };
        match builtin {
            Some(builtin) => plan.add_builtin(builtin, &mut slots),
            None => plan.add_own(source, &mut slots),
        }
        plan.keys = KeyTable::new(&slots.0);
        plan.names = slots.0;
        plan
    }

    fn add_builtin(&mut self, builtin: &'static Builtin, slots: &mut Slots) {
        let mapping = |mapping: &builtin::Mapping| Mapping {
            from: slots.of(mapping.from),
            to: slots.target(mapping.to),
            when: mapping.when,
        };
        self.mappings = builtin.mappings.iter().map(mapping).collect();
        let document = |document: &builtin::Document| Document {
            from: slots.of(document.from),
            to: slots.of(document.to),
            when: document.when,
            any_text: document.any_text,
        };
        self.documents = builtin.documents.iter().map(document).collect();
        let flattened = builtin.flattened.iter();
        self.flattened = flattened.map(|(prefix, to)| Flattened { prefix, to: slots.of(to) }).collect();
        self.parameters = builtin.parameters.map(|from| {
            let members = PARAMETERS.iter().map(|(member, to)| (*member, slots.target(to)));
            let members: Vec<(&str, Target)> = members.collect();
            (slots.of(from), members)
        });
        self.words = Words::Builtin {
            operations: builtin.operations,
            operation: self.known.operation,
            provider: slots.of(to::PROVIDER),
        };
    }

    fn add_own(&mut self, source: &Source, slots: &mut Slots) {
        let mapping =
            |(from, to): &(String, String)| Mapping { from: slots.of(from), to: slots.target(to), when: When::Always };
        self.mappings = source.mappings.iter().map(mapping).collect();
        let words = source.value_mappings.iter().map(|(target, words)| (slots.of(target), words.clone()));
        self.words = Words::Own(words.collect());
    }

    pub(super) fn slot(&self, key: &[u8]) -> Option<Slot> {
        self.keys.get(key)
    }

    /// Whether an attribute of that slot means something to this source.
    pub(super) fn is_source(&self, slot: Slot) -> bool {
        slot < self.sources
    }

    pub(super) fn name(&self, slot: Slot) -> &str {
        self.names.get(usize::from(slot)).map_or("", |name| name)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The flattened list that a key is a piece of, and the rest of the key, which begins with a number.
    pub(super) fn flattened<'k>(&self, key: &'k [u8]) -> Option<(usize, &'k str)> {
        split_flat(self.flattened.iter().map(|flattened| flattened.prefix), key)
    }
}
