//! Hashes that take a tenth of a second on purpose, verified a few at a time: who guesses passwords keeps nobody else from being served.

use std::sync::Arc;
use std::thread::available_parallelism;

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use super::htpasswd::Password;

/// Who may have the processors for it.
pub(super) struct Hashing {
    running: Arc<Semaphore>,
    /// Of those that run and those that wait.
    places: Semaphore,
}

/// The right to one verification. Who is not waited for any more gives his place to another.
pub(super) struct Turn<'h> {
    running: OwnedSemaphorePermit,
    _place: SemaphorePermit<'h>,
}

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many passwords are being verified")]
pub(super) struct TooMany;

/// One of so many cores is enough, and never less than one.
const CORES: usize = 4;
/// At a tenth of a second each the last one waits for some seconds, as clients do.
const PLACES: usize = 64;

// === impl Hashing ===

impl Hashing {
    /// For this machine.
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get() / CORES).max(1);
        Self::with(cores, PLACES * cores)
    }

    pub(super) fn with(running: usize, places: usize) -> Self {
        Self { running: Arc::new(Semaphore::new(running)), places: Semaphore::new(places) }
    }

    /// Waits until it may be verified.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, TooMany> {
        let place = self.places.try_acquire().map_err(|_| TooMany)?;
        // It is never closed.
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| TooMany)?;
        Ok(Turn { running, _place: place })
    }
}

// === impl Turn ===

impl Turn<'_> {
    /// Whether that password is the right one. What has begun cannot be stopped, so it counts as running to its end, whoever waits for it.
    pub(super) async fn is(self, expected: &Password, given: &str) -> bool {
        let (expected, given, running) = (expected.clone(), given.to_owned(), self.running);
        let verifying = spawn_blocking(move || {
            let good = expected.is(&given);
            drop(running);
            good
        });
        verifying.await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    /// Scenario: one is verified, two wait, more come; one of those that wait is given up, and the first comes to its end.
    /// Guarantees: there is never more than one; beyond the places there is a refusal at once; who is given up leaves his place to another;
    /// the first that waits is next.
    #[tokio::test]
    async fn turns() {
        let hashing = Hashing::with(1, 3);
        let first = hashing.turn().await.unwrap();
        let mut second = pin!(hashing.turn());
        let mut third = Box::pin(hashing.turn());
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        assert_eq!(hashing.turn().await.err(), Some(TooMany));
        drop(third);
        let mut fourth = pin!(hashing.turn());
        assert!(fourth.as_mut().now_or_never().is_none());
        assert!(first.is(&Password::Plain("a".to_owned()), "a").await);
        let second = second.now_or_never().unwrap().unwrap();
        assert!(fourth.as_mut().now_or_never().is_none());
        assert!(!second.is(&Password::Plain("a".to_owned()), "b").await);
        assert!(fourth.now_or_never().unwrap().is_ok());
    }
}
