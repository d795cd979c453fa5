//! How far everything of a queue on disk is done is written down; and how such a queue ends.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use spanmill_pipeline::ComponentError;
use spanmill_wal::Seq;
use tokio::time::{Instant, sleep};

use super::Cost;
use super::disk::{COMMIT_INTERVAL, Disk};
use super::opened::Opened;

/// How the queue ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Nothing comes in; what is there is still sent, until then.
    Draining(Instant),
    /// Nothing more is taken. What is left is for the next time.
    Closed,
}

/// How long to wait before writing down again what could not be written down.
const COMMIT_AGAIN: Duration = Duration::from_secs(1);

/// At the end, so many requests are tried in a row that the backend does not take, besides those that it did not take before.
const TRIED_IN_VAIN: usize = 3;

// === impl Disk ===

impl Disk {
    /// The requests stay for the next time.
    pub(super) fn leave(&self, cost: Cost) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(cost.bytes);
        state.in_vain += 1;
        // No others will do better; and one consumer keeps the order.
        if self.consumers == 1 || state.in_vain > state.patience {
            self.phase.send_replace(Phase::Closed);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.state();
        state.patience = state.in_trouble + TRIED_IN_VAIN;
        drop(state);
        self.phase.send_replace(Phase::Draining(deadline));
        self.changed.notify_waiters();
    }

    /// Whether nothing more is begun.
    pub(super) fn is_over(&self) -> bool {
        match *self.phase.borrow() {
            Phase::Open => false,
            Phase::Draining(until) => Instant::now() >= until,
            Phase::Closed => true,
        }
    }

    /// Writes down what is done, soon after it is.
    pub(super) async fn keep_committing(self: Arc<Self>) {
        let mut written = None;
        loop {
            self.until(|| self.opened.get().is_some() && self.state().progress.reached() > written).await;
            sleep(COMMIT_INTERVAL).await;
            let Some(opened) = self.opened.get() else { continue };
            match self.commit(opened).await {
                Some(seq) => written = Some(seq),
                None => sleep(COMMIT_AGAIN).await,
            }
        }
    }

    pub(super) async fn stop(&self) -> Result<(), ComponentError> {
        let Some(opened) = self.opened.get() else { return Ok(()) };
        self.unread_is_done().await;
        for task in std::mem::take(&mut *opened.tasks.lock().unwrap_or_else(PoisonError::into_inner)) {
            task.abort();
        }
        self.commit(opened).await;
        let left = self.size();
        if left > 0 {
            tracing::info!(queue = %self.id, left, "what is left in the queue stays on disk until a component of this name runs again");
        }
        let failed = |failure| ComponentError::Other(format!("closing the queue: {failure}"));
        opened.wal.close().await.map_err(failed)
    }

    /// Writes down how far everything is done; none where that failed.
    async fn commit(&self, opened: &Opened) -> Option<Seq> {
        self.losses.look(&opened.wal.stats());
        let seq = self.state().progress.reached()?;
        let committed = opened.committer.commit(seq).await.inspect_err(|error| {
            let what = "what was sent could not be noted, and would be sent again after a restart";
            tracing::warn!(%error, queue = %self.id, "{what}");
        });
        committed.is_ok().then_some(seq)
    }
}
