//! The attribute keys that the expressions of a program read, numbered when they are compiled.

use spanmill_otlp::{KeyTable, Slot};

use super::level::{LEVELS, Level};

/// The attribute keys that the expressions of a program read, numbered.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    pub(super) resource: Keys,
    pub(super) scope: Keys,
    pub(super) span: Keys,
    pub(super) event: Keys,
    cache: Keys,
    log: Keys,
    metric: Keys,
    point: Keys,
    /// Whether fields of spans beside attributes are read; where not, a span is read only as far as its attributes are wanted.
    pub(super) fields: bool,
    /// Whether anything about the client is read.
    client: bool,
}

/// The keys of one level.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    pub(super) table: KeyTable,
    /// Bit `n` is set where a key of length `n` (modulo 64) is in the table: most attributes need no look-up.
    pub(super) lengths: u64,
}

/// Collects keys while expressions are compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct SlotsBuilder {
    keys: [Vec<String>; LEVELS],
    fields: bool,
    client: bool,
}

// === impl SlotsBuilder ===

impl SlotsBuilder {
    /// The slot of a key; none where there are too many keys.
    pub(crate) fn slot(&mut self, level: Level, key: &str) -> Option<Slot> {
        let keys = self.keys.get_mut(level as usize)?;
        let at = keys.iter().position(|known| known == key).unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        });
        Slot::try_from(at).ok().filter(|slot| *slot < Slot::MAX)
    }

    /// Notes that a field is read that is no attribute.
    pub(crate) fn reads_fields(&mut self) {
        self.fields = true;
    }

    /// Notes that something about the client is read.
    pub(crate) fn reads_client(&mut self) {
        self.client = true;
    }

    pub(crate) fn build(self) -> Slots {
        let Self { keys, fields, client } = self;
        let [resource, scope, span, event, cache, log, metric, point] = keys.map(Keys::new);
        Slots { resource, scope, span, event, cache, log, metric, point, fields, client }
    }
}

// === impl Keys ===

impl Keys {
    pub(super) fn new(keys: Vec<String>) -> Self {
        let lengths = keys.iter().fold(0, |lengths, key| lengths | 1 << (key.len() & 63));
        Self { table: KeyTable::new(keys), lengths }
    }

    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<Slot> {
        if self.lengths >> (key.len() & 63) & 1 == 0 { None } else { self.table.get(key) }
    }
}

// === impl Slots ===

impl Slots {
    /// Whether it makes a difference to enter a client.
    pub fn reads_client(&self) -> bool {
        self.client
    }

    /// How many keys there are at a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.keys(level).table.len()
    }

    pub(super) fn keys(&self, level: Level) -> &Keys {
        match level {
            Level::Resource => &self.resource,
            Level::Scope => &self.scope,
            Level::Span => &self.span,
            Level::Event => &self.event,
            Level::Cache => &self.cache,
            Level::Log => &self.log,
            Level::Metric => &self.metric,
            Level::Point => &self.point,
        }
    }

    /// The key of a slot.
    pub(crate) fn key(&self, level: Level, slot: Slot) -> &[u8] {
        self.keys(level).table.key(slot).unwrap_or(&[])
    }
}
