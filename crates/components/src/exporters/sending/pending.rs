//! Requests that were taken from the queue, until all of what became of them is done with.

use std::sync::{Arc, Mutex, PoisonError};

use spanmill_pipeline::ConsumeError;
use spanmill_wal::Seq;
use tokio::sync::oneshot;

use super::queue::{Cost, Queue};

/// A request. Each batch that has a part of it holds it, and the last one that is done with settles it.
pub(super) struct Pending {
    cost: Cost,
    /// Who waits for the result.
    waiting: Option<oneshot::Sender<Result<(), ConsumeError>>>,
    /// Its number on disk.
    seq: Option<Seq>,
    outcome: Mutex<Outcome>,
}

/// What became of the parts that are done with.
pub(super) struct Outcome {
    /// The first error.
    result: Result<(), ConsumeError>,
    /// The exporter stopped before a part was sent or given up.
    interrupted: bool,
}

/// Notes what became of a batch, tells who waits, and gives the room in the queue back.
pub(super) fn settle(held: Vec<Arc<Pending>>, outcome: &Outcome, queue: &Queue) {
    let (mut done, mut left, mut seqs) = (Cost::default(), None, Vec::new());
    for pending in held {
        pending.outcome.lock().unwrap_or_else(PoisonError::into_inner).add(&outcome.result, outcome.interrupted);
        let Some(Pending { cost, waiting, seq, outcome }) = Arc::into_inner(pending) else { continue };
        let Outcome { result, interrupted } = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting {
            // Who waited may have gone.
            let _ = waiting.send(result);
        }
        if interrupted && queue.is_durable() {
            left = Some(left.unwrap_or_default() + cost);
        } else {
            done = done + cost;
            seqs.extend(seq);
        }
    }
    queue.release(done, &seqs);
    if let Some(left) = left {
        queue.leave(left);
    }
}

// === impl Pending ===

impl Pending {
    pub(super) fn new(
        cost: Cost,
        waiting: Option<oneshot::Sender<Result<(), ConsumeError>>>,
        seq: Option<Seq>,
    ) -> Arc<Self> {
        Arc::new(Self { cost, waiting, seq, outcome: Mutex::default() })
    }

    pub(super) fn seq(&self) -> Option<Seq> {
        self.seq
    }
}

// === impl Outcome ===

impl Outcome {
    /// Takes in what became of one more part.
    pub(super) fn add(&mut self, result: &Result<(), ConsumeError>, interrupted: bool) {
        if self.result.is_ok() {
            self.result.clone_from(result);
        }
        self.interrupted |= interrupted;
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self { result: Ok(()), interrupted: false }
    }
}
