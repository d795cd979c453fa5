//! Bytes that requests may hold at a time, all together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// What all requests of a receiver may hold.
#[derive(Debug)]
pub(crate) struct Budget {
    free: Semaphore,
    total: usize,
    /// Who has it goes on while all wait for each other.
    turn: Arc<Semaphore>,
}

/// What one request holds of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
    /// How long it may still wait for others to give back.
    patience: Duration,
    turn: Option<OwnedSemaphorePermit>,
}

/// Others hold too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// How many times as long as the others the one waits whose turn it is.
const PERSEVERANCE: u32 = 10;

// === impl Budget ===

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(total), total, turn: Arc::new(Semaphore::new(1)) }
    }
}

// === impl Held ===

impl Held {
    /// Nothing yet, by who may wait so long in all.
    pub(crate) fn nothing(budget: &Arc<Budget>, patience: Duration) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0, patience, turn: None }
    }

    /// Holds so many bytes in all, where need be once others have given back. A single request may hold everything, never more: it
    /// must not fail for being alone.
    pub(crate) async fn raise(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if self.try_raise(bytes).is_ok() {
            return Ok(());
        }
        // Many that have come half way and are all refused would come again, and get no further. So one of them has more patience.
        if self.turn.is_none()
            && let Ok(turn) = Arc::clone(&self.budget.turn).try_acquire_owned()
        {
            self.turn = Some(turn);
            self.patience *= PERSEVERANCE;
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

    /// Scenario: one request holds nearly everything; a second and a third ask for more than is left and wait in vain; then one waits while
    /// the first gives some back; another asks for more than there is.
    /// Guarantees: who waits gets what is given back, or fails after its patience, of which one has more than the others; asking for everything
    /// is enough for any request; all is given back in the end.
    #[tokio::test(start_paused = true)]
    async fn bytes_are_shared() {
        let budget = Arc::new(Budget::new(1000));
        let second = Duration::from_secs(1);
        let [mut first, mut other, mut third] = [(); 3].map(|()| Held::nothing(&budget, second));
        first.raise(900).await.unwrap();
        assert_eq!(other.try_raise(200), Err(Exhausted));
        let timed = async |held: &mut Held| {
            let began = Instant::now();
            (held.raise(200).await, began.elapsed())
        };
        let (other_waited, third_waited) = tokio::join!(timed(&mut other), timed(&mut third));
        assert_eq!((other_waited, third_waited), ((Err(Exhausted), 10 * second), (Err(Exhausted), second)));

        let mut patient = Held::nothing(&budget, second);
        let (waited, ()) = tokio::join!(patient.raise(200), async { first.lower(100) });
        assert_eq!(waited, Ok(()));
        drop((first, other, third, patient));
        let mut large = Held::nothing(&budget, second);
        large.raise(5000).await.unwrap();
        assert_eq!(large.bytes, 1000);
        drop(large);
        assert_eq!((budget.free.available_permits(), budget.turn.available_permits()), (1000, 1));
    }

    /// Scenario: ten requests of 400 of 1,000 bytes come at the same time, a hundred bytes at a time.
    /// Guarantees: they do not all fail for each other's sake.
    #[tokio::test(start_paused = true)]
    async fn one_goes_on() {
        let budget = Arc::new(Budget::new(1000));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let mut held = Held::nothing(&budget, Duration::from_millis(500));
            tasks.spawn(async move {
                for bytes in [100, 200, 300, 400] {
                    held.raise(bytes).await?;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Ok::<_, Exhausted>(())
            });
        }
        let results = tasks.join_all().await;
        assert!(results.iter().any(Result::is_ok), "{results:?}");
    }
}
