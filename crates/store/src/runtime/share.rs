//! What a query may take of the memory of all.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// A query's share of a pool. What it may not take stays for others, however much the query asks for.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<dyn MemoryPool>,
    most: usize,
    taken: AtomicUsize,
}

// === impl Share ===

impl Share {
    pub(super) fn new(pool: Arc<dyn MemoryPool>, most: usize) -> Self {
        Self { pool, most, taken: AtomicUsize::new(0) }
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let room = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.most);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        taken.map(drop).map_err(|taken| {
            DataFusionError::ResourcesExhausted(format!(
                "it has {taken} bytes, wants {bytes} more, and may have {}",
                self.most
            ))
        })
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl MemoryPool for Share {
    fn name(&self) -> &str {
        "share"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.taken.fetch_add(additional, Ordering::Relaxed);
        self.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
        self.give_back(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.take(additional)?;
        self.pool.try_grow(reservation, additional).inspect_err(|_| self.give_back(additional))
    }

    fn reserved(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.most)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes of {}", self.reserved(), self.most, self.pool)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::FairSpillPool;

    use super::*;

    /// Scenario: two queries share a pool; one asks for all of it, in many steps.
    /// Guarantees: it gets its share and no more, the other gets its own, and what is given back can be taken again.
    #[test]
    fn one_query_leaves_some_for_others() {
        let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(1_000));
        let share = || Arc::new(Share::new(Arc::clone(&pool), 500)) as Arc<dyn MemoryPool>;
        let (greedy, other) = (share(), share());
        let hog = MemoryConsumer::new("hog").register(&greedy);
        let taken = (0..1_000).take_while(|_| hog.try_grow(10).is_ok()).count();
        assert_eq!((taken, greedy.reserved(), pool.reserved()), (50, 500, 500));
        let modest = MemoryConsumer::new("modest").register(&other);
        assert!(modest.try_grow(400).is_ok());
        hog.shrink(100);
        assert_eq!((greedy.reserved(), pool.reserved()), (400, 800));
        assert!(hog.try_grow(100).is_ok() && hog.try_grow(1).is_err());
        drop(hog);
        assert_eq!((greedy.reserved(), pool.reserved()), (0, 400));
    }
}
