//! Attributes by number: each message is looked through once, whatever is asked of it.

use spanmill_otlp::{Attributes, KeyTable, Slot, ValueRef};

/// The attributes that a connector reads.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    table: KeyTable,
}

// === impl Wanted ===

impl Wanted {
    /// The keys, and the slot of each: of a repeated one that of its first.
    pub(crate) fn new<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> (Self, Vec<Slot>) {
        let table = KeyTable::new(keys.clone());
        let slots = keys.map(|key| table.get(key.as_bytes()).unwrap_or(Slot::MAX)).collect();
        (Self { table }, slots)
    }

    /// Puts the values in their slots; of a repeated key the first.
    pub(crate) fn fill<'a>(&self, attributes: Attributes<'a>, values: &mut Vec<Option<ValueRef<'a>>>) {
        values.clear();
        values.resize(self.table.len(), None);
        if self.table.is_empty() {
            return;
        }
        for found in attributes {
            if let Some(kept @ None) =
                self.table.get(found.key).and_then(|slot| values.get_mut(usize::from(slot)))
            {
                *kept = Some(found.value);
            }
        }
    }
}
