//! What keeps a store in order: whole hours become one piece, old ones go, and what nothing refers to is removed.

mod compact;
mod dedup;
mod lease;
mod merge;
mod retain;
mod sweep;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

pub(crate) use self::compact::Recent;
use crate::manifest::Piece;
use crate::store::{Store, StoreError};

/// What a round of [`Store::upkeep`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Pieces that were put together into others.
    pub compacted: u64,
    /// Pieces that were removed by age or size.
    pub expired: u64,
    /// Spans of pieces that were removed by age or size.
    pub expired_spans: u64,
    /// Rows that were there twice.
    pub duplicates: u64,
    /// Files that were deleted.
    pub deleted: u64,
}

/// Pieces that nothing refers to any more, and when their files may go.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    pieces: Mutex<Vec<(Instant, Piece)>>,
    swept: Mutex<Option<Instant>>,
}

/// This writer's parts of the manifest become one when there are more.
const MOST_PARTS: usize = 64;

// === impl Store ===

impl Store {
    /// One round: whole hours become one piece, what is too old or too much goes, and files that nothing refers to are deleted. To be
    /// called about once a minute, by one task.
    pub async fn upkeep(&self) -> Result<Upkeep, StoreError> {
        let mut done = Upkeep::default();
        let now = Timestamp::now();
        self.refresh().await?;
        retain::run(self, now, &mut done).await?;
        compact::run(self, now, &mut done).await?;
        self.manifest().condense(MOST_PARTS).await?;
        self.delete_dead(&mut done).await?;
        sweep::run(self, now, &mut done).await?;
        let state = self.manifest().state();
        self.blooms().retain(|id| state.get(id).is_some());
        Ok(done)
    }

    async fn delete_dead(&self, done: &mut Upkeep) -> Result<(), StoreError> {
        for piece in self.dead().take_due(Instant::now()) {
            for table in piece.tables.keys() {
                self.place().delete(&piece.path(*table)).await?;
                done.deleted += 1;
            }
        }
        Ok(())
    }
}

// === impl Dead ===

impl Dead {
    /// Notes that nothing refers to a piece any more.
    pub(crate) fn add(&self, due: Instant, piece: Piece) {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).push((due, piece));
    }

    fn take_due(&self, now: Instant) -> Vec<Piece> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, wait): (Vec<_>, Vec<_>) = std::mem::take(&mut *pieces).into_iter().partition(|(due, _)| *due <= now);
        *pieces = wait;
        due.into_iter().map(|(_, piece)| piece).collect()
    }

    /// Whether it is time to look for files that nothing refers to; if so, it is not for a while.
    fn wants_sweep(&self, now: Instant, every: std::time::Duration) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| now.duration_since(last) >= every);
        if due {
            *swept = Some(now);
        }
        due
    }
}
