//! Attribute keys compiled to numbered slots, so that a scan of a span costs one lookup an attribute, however many keys
//! are known.

use crate::short::{hash, is_same};

/// Number of a key in its [`KeyTable`], counted from zero in the order the keys were given.
pub type Slot = u16;

/// A set of attribute keys, each with a slot. Built once at start; a lookup hashes length and both ends of the key and
/// compares once.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    keys: Vec<Box<[u8]>>,
    buckets: Vec<Slot>,
    mask: u32,
}

/// What the last message had where: messages of one origin carry the same keys in the same order, so that a look-up mostly
/// needs one comparison and no hash. One for each [`KeyTable`] and loop over messages.
#[derive(Debug, Clone, Default)]
pub struct Guesses {
    slots: Vec<Slot>,
    at: usize,
}

/// Marks an empty bucket, and bounds the number of keys.
const EMPTY: Slot = Slot::MAX;

/// Keys of a message beyond this many are looked up without a guess.
const MOST_GUESSES: usize = 256;

// === impl KeyTable ===

impl KeyTable {
    /// A table of the keys; a repeated one keeps its first slot (later slots stay unused).
    /// At most 65,534 keys are taken; later ones are never found.
    pub fn new<I>(keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let keys: Vec<Box<[u8]>> =
            keys.into_iter().take(usize::from(EMPTY)).map(|key| key.as_ref().as_bytes().into()).collect();
        let size = (keys.len() * 4).next_power_of_two().max(8);
        let mut table = Self { keys: Vec::new(), buckets: vec![EMPTY; size], mask: size as u32 - 1 };
        for (slot, key) in keys.iter().enumerate() {
            let mut at = hash(key) & table.mask;
            while let Some(&taken) = table.buckets.get(at as usize) {
                if taken == EMPTY {
                    if let Some(bucket) = table.buckets.get_mut(at as usize) {
                        *bucket = slot as Slot;
                    }
                    break;
                }
                if keys.get(usize::from(taken)) == Some(key) {
                    break;
                }
                at = (at + 1) & table.mask;
            }
        }
        table.keys = keys;
        table
    }

    /// The slot of `key`, if it is in the table.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Slot> {
        let mut at = hash(key) & self.mask;
        loop {
            let slot = *self.buckets.get(at as usize)?;
            if slot == EMPTY {
                return None;
            }
            if self.is_at(slot, key) {
                return Some(slot);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// As [`KeyTable::get`], for the next key of a message; [`Guesses::restart`] tells where a message begins.
    #[inline]
    pub fn get_next(&self, key: &[u8], guesses: &mut Guesses) -> Option<Slot> {
        let at = guesses.at;
        guesses.at += 1;
        match guesses.slots.get(at) {
            Some(&slot) if self.is_at(slot, key) => Some(slot),
            _ => self.get_and_note(key, at, guesses),
        }
    }

    #[inline(never)]
    fn get_and_note(&self, key: &[u8], at: usize, guesses: &mut Guesses) -> Option<Slot> {
        let found = self.get(key);
        if at < MOST_GUESSES {
            guesses.slots.resize(guesses.slots.len().max(at + 1), EMPTY);
            if let Some(guess) = guesses.slots.get_mut(at) {
                *guess = found.unwrap_or(EMPTY);
            }
        }
        found
    }

    #[inline]
    fn is_at(&self, slot: Slot, key: &[u8]) -> bool {
        self.keys.get(usize::from(slot)).is_some_and(|known| is_same(known, key))
    }

    /// The key of a slot.
    pub fn key(&self, slot: Slot) -> Option<&[u8]> {
        self.keys.get(usize::from(slot)).map(|key| &**key)
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

// === impl Guesses ===

impl Guesses {
    /// A message begins.
    #[inline]
    pub fn restart(&mut self) {
        self.at = 0;
    }
}
