//! What statements have changed so far, level by level, and what comes of it.

use bumpalo::Bump;
use spanmill_otlp::{Patches, Pos, ResourceIx, ScopeIx, Slot, Traces};

use super::level::{LEVELS, Level, Levels};

/// What was changed so far, and the memory it needs.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) arena: &'a Bump,
    /// Where values are encoded before they go to the arena.
    pub(crate) scratch: Vec<u8>,
    /// Levels with changes that their messages do not show yet.
    pub(super) dirty: Levels,
    pub(super) marks: [Marks; LEVELS],
    /// Where the event at hand lies in its span, and its number.
    pub(super) event_at: Option<(Pos, usize)>,
    /// Events of the span at hand that were changed, by where they lie.
    pub(super) events: Vec<(Pos, &'a [u8])>,
    /// How often a span was put together anew.
    pub(super) generation: u32,
    pub(super) noted: Noted,
}

/// What was changed at one level.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// Attributes with a slot, and where the former value lies.
    pub(super) slots: Vec<(Slot, Option<Pos>)>,
    /// A bit for the number of each other field.
    pub(super) fields: u32,
    /// Whether the message is no longer the request's.
    pub(super) rewritten: bool,
    /// Whether the schema URL beside the message was set.
    pub(super) schema_url: bool,
}

/// Changes of parts that are done with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    pub(super) patches: Patches,
    pub(super) resource_urls: Vec<(ResourceIx, String)>,
    pub(super) scope_urls: Vec<(ScopeIx, String)>,
}

// === impl Noted ===

impl Noted {
    /// Makes the changes, and gives back the memory of those that were most.
    pub(crate) fn apply(mut self, traces: &mut Traces) -> Patches {
        traces.apply_all(&self.patches);
        for (ix, url) in &self.resource_urls {
            traces.set_resource_schema_url(*ix, url);
        }
        for (ix, url) in &self.scope_urls {
            traces.set_schema_url(*ix, url);
        }
        self.patches.clear();
        self.patches
    }
}

// === impl Draft ===

impl<'a> Draft<'a> {
    /// `patches` is empty; its memory is used.
    pub(crate) fn new(arena: &'a Bump, patches: Patches) -> Self {
        Self {
            arena,
            scratch: Vec::new(),
            dirty: Levels::default(),
            marks: Default::default(),
            event_at: None,
            events: Vec::new(),
            generation: 0,
            noted: Noted { patches, ..Noted::default() },
        }
    }

    pub(super) fn mark(&mut self, level: Level) -> Option<&mut Marks> {
        self.dirty.insert(level);
        self.marks.get_mut(level as usize)
    }

    pub(super) fn marks(&self, level: Level) -> Option<&Marks> {
        self.marks.get(level as usize)
    }
}

impl Draft<'_> {
    pub(super) fn forget(&mut self, level: Level) {
        self.dirty.remove(level);
        if level == Level::Span {
            self.events.clear();
        }
        if let Some(marks) = self.marks.get_mut(level as usize) {
            marks.slots.clear();
            (marks.fields, marks.rewritten) = (0, false);
        }
    }

    pub(super) fn takes_schema_url(&mut self, level: Level) -> bool {
        self.marks.get_mut(level as usize).is_some_and(|marks| std::mem::take(&mut marks.schema_url))
    }
}

// === impl Marks ===

impl Marks {
    pub(super) fn touches(&self, number: u32) -> bool {
        number < 32 && self.fields >> number & 1 != 0
    }

    pub(super) fn any(&self) -> bool {
        !self.slots.is_empty() || self.rewritten
    }
}
