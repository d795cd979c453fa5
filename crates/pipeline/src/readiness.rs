//! How far a service is: starting, going through what an earlier run left, or ready.

use std::sync::Arc;

use tokio::sync::watch;

/// How far a service is. Once it is ready it stays so, through changes of its configuration too, until it stops.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<watch::Sender<Progress>>);

/// What readiness is made of.
#[derive(Debug, Clone, Default)]
struct Progress {
    running: bool,
    ready: bool,
    stopping: bool,
    replaying: Vec<String>,
}

/// Something durable of an earlier run is gone through as long as this lives.
#[derive(Debug)]
pub struct Replaying {
    readiness: Readiness,
    what: String,
}

/// How far a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Components start.
    Starting,
    /// What earlier runs left is gone through, by what is named.
    Replaying(Vec<String>),
    /// All of it is done.
    Ready,
    /// Components stop.
    Stopping,
}

// === impl Readiness ===

impl Readiness {
    /// How far it is now.
    pub fn phase(&self) -> Phase {
        let progress = self.0.borrow();
        match progress.replaying.as_slice() {
            _ if progress.ready => Phase::Ready,
            _ if progress.stopping => Phase::Stopping,
            [] => Phase::Starting,
            replaying => Phase::Replaying(replaying.to_vec()),
        }
    }

    /// Waits until the service is ready.
    pub async fn ready(&self) {
        // The sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|progress| progress.ready).await;
    }

    /// Whether all components run.
    pub(crate) fn is_running(&self) -> bool {
        self.0.borrow().running
    }

    /// All components run, or do not any more.
    pub(crate) fn set_running(&self, running: bool) {
        self.change(|progress| {
            progress.running = running;
            progress.ready &= running;
            progress.stopping = !running;
        });
    }

    pub(crate) fn replaying(&self, what: String) -> Replaying {
        self.change(|progress| progress.replaying.push(what.clone()));
        Replaying { readiness: self.clone(), what }
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        self.0.send_modify(|progress| {
            change(progress);
            progress.ready |= progress.running && progress.replaying.is_empty();
        });
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Progress::default())))
    }
}

// === impl Replaying ===

impl Drop for Replaying {
    fn drop(&mut self) {
        self.readiness.change(|progress| {
            if let Some(at) = progress.replaying.iter().position(|what| *what == self.what) {
                progress.replaying.remove(at);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: two components replay; all start; one is done, then the other; a third begins later; everything stops.
    /// Guarantees: starting, replaying and ready are told apart; once ready, what replays later changes nothing; stopping ends it.
    #[tokio::test]
    async fn phases() {
        let readiness = Readiness::default();
        assert_eq!(readiness.phase(), Phase::Starting);
        let [first, second] = ["store", "queue"].map(|what| readiness.replaying(what.to_owned()));
        assert_eq!(readiness.phase(), Phase::Replaying(vec!["store".to_owned(), "queue".to_owned()]));
        readiness.set_running(true);
        drop(first);
        assert_eq!(readiness.phase(), Phase::Replaying(vec!["queue".to_owned()]));
        let waiting = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.ready().await }
        });
        drop(second);
        waiting.await.unwrap();
        let _later = readiness.replaying("queue".to_owned());
        assert_eq!(readiness.phase(), Phase::Ready);
        readiness.set_running(false);
        assert_eq!(readiness.phase(), Phase::Stopping);
    }
}
