//! Attributes by number: each message is looked through once, whatever is asked of it.

use spanmill_otlp::{Attributes, KeyTable, Slot, ValueRef};

/// The attributes that a connector reads.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    table: KeyTable,
    /// Bit `n` is set where a key of length `n` (modulo 64) is in the table: most attributes need no look-up.
    lengths: u64,
}

// === impl Wanted ===

impl Wanted {
    /// The keys, and the slot of each: of a repeated one that of its first.
    pub(crate) fn new<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> (Self, Vec<Slot>) {
        let table = KeyTable::new(keys.clone());
        let lengths = keys.clone().fold(0, |lengths, key| lengths | 1 << (key.len() & 63));
        let slots = keys.map(|key| table.get(key.as_bytes()).unwrap_or(Slot::MAX)).collect();
        (Self { table, lengths }, slots)
    }

    /// The slot of a key.
    #[inline]
    pub(crate) fn slot(&self, key: &[u8]) -> Option<Slot> {
        if self.lengths >> (key.len() & 63) & 1 == 0 { None } else { self.table.get(key) }
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Puts the values in their slots; of a repeated key the first.
    pub(crate) fn fill<'a>(&self, attributes: Attributes<'a>, values: &mut Vec<Option<ValueRef<'a>>>) {
        values.clear();
        values.resize(self.table.len(), None);
        if self.table.is_empty() {
            return;
        }
        for found in attributes {
            if let Some(kept @ None) = self.slot(found.key).and_then(|slot| values.get_mut(usize::from(slot))) {
                *kept = Some(found.value);
            }
        }
    }
}
