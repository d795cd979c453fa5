//! Bytes that requests may hold at a time, all together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// What all requests of a receiver may hold.
#[derive(Debug)]
pub(crate) struct Budget {
    free: Semaphore,
    total: usize,
}

/// What one request holds of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
    /// How long it may still wait for others to give back.
    patience: Duration,
}

/// Others hold too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

// === impl Budget ===

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(total), total }
    }
}

// === impl Held ===

impl Held {
    /// Nothing yet, by who may wait so long in all.
    pub(crate) fn nothing(budget: &Arc<Budget>, patience: Duration) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0, patience }
    }

    /// Holds so many bytes in all, where need be once others have given back. A single request may hold everything, never more: it
    /// must not fail for being alone.
    pub(crate) async fn raise(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if self.try_raise(bytes).is_ok() {
            return Ok(());
        }
        let more = self.lacking(bytes);
        let began = Instant::now();
        let waited = timeout(self.patience, self.budget.free.acquire_many(more)).await;
        self.patience = self.patience.saturating_sub(began.elapsed());
        let Ok(Ok(permits)) = waited else { return Err(Exhausted) };
        permits.forget();
        self.bytes += more as usize;
        Ok(())
    }

    /// The same, at once or not at all.
    pub(crate) fn try_raise(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let more = self.lacking(bytes);
        if more > 0 {
            self.budget.free.try_acquire_many(more).map_err(|_| Exhausted)?.forget();
            self.bytes += more as usize;
        }
        Ok(())
    }

    /// Holds only so many bytes from now on.
    pub(crate) fn lower(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.free.add_permits(less);
        self.bytes -= less;
    }

    fn lacking(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.budget.total).saturating_sub(self.bytes)).unwrap_or(u32::MAX)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lower(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: one request holds nearly everything; a second asks for more than is left, waits in vain, and again while the first
    /// gives some back; a third asks for more than there is.
    /// Guarantees: who waits gets what is given back and fails after its patience; asking for everything is enough for any request.
    #[tokio::test(start_paused = true)]
    async fn bytes_are_shared() {
        let budget = Arc::new(Budget::new(1000));
        let second = Duration::from_secs(1);
        let [mut first, mut other] = [(); 2].map(|()| Held::nothing(&budget, second));
        first.raise(900).await.unwrap();
        assert_eq!(other.try_raise(200), Err(Exhausted));
        let began = Instant::now();
        assert_eq!(other.raise(200).await, Err(Exhausted));
        assert_eq!(began.elapsed(), second);

        let mut patient = Held::nothing(&budget, second);
        let (waited, ()) = tokio::join!(patient.raise(200), async { first.lower(100) });
        assert_eq!(waited, Ok(()));
        drop((first, other, patient));
        let mut large = Held::nothing(&budget, second);
        large.raise(5000).await.unwrap();
        assert_eq!(large.bytes, 1000);
        drop(large);
        assert_eq!(budget.free.available_permits(), 1000);
    }
}
