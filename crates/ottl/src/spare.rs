//! Memory that statements used for one request and use again for the next.

use std::sync::{Mutex, PoisonError};

use bumpalo::Bump;
use spanmill_otlp::Patches;

/// Memory that is not in use.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Spare>>);

/// What one pass over a request needs; both are empty between passes.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    pub(crate) arena: Bump,
    pub(crate) patches: Patches,
}

/// As many as requests are in work at a time on a usual machine; more are made and dropped.
const MOST: usize = 8;
/// What was needed for an unusually large request is given back, in bytes.
const LARGEST: usize = 1 << 20;

// === impl Spares ===

impl Spares {
    pub(crate) fn take(&self) -> Spare {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut spare: Spare) {
        spare.arena.reset();
        spare.patches.clear();
        if spare.arena.allocated_bytes() > LARGEST || spare.patches.capacity() > LARGEST {
            return;
        }
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < MOST {
            spares.push(spare);
        }
    }
}
