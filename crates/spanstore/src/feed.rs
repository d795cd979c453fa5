//! From the log to the store: records in order, each once.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use spanmill_otlp::Traces;
use spanmill_pipeline::Replaying;
use spanmill_store::{Sealed, Store, StoreError};
use spanmill_wal::{Committer, ReadError, Reader, Record, Seq};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::metrics::Metrics;
use crate::record;

/// Puts the records of a log into a store, and what is in memory into files.
pub(crate) struct Feed {
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) metrics: Metrics,
    /// Memory that may be taken while files are written, in bytes.
    pub(crate) most_bytes: usize,
    /// What an earlier run left in the log, until it is in the store.
    pub(crate) replay: Option<Replay>,
}

/// Records that were there when the log was opened.
pub(crate) struct Replay {
    /// The first record of this run.
    pub(crate) until: Seq,
    /// Says that there are any left.
    #[expect(dead_code, reason = "says so as long as it lives")]
    pub(crate) guard: Replaying,
}

/// How often the age of what is in memory is looked at.
const TICK: Duration = Duration::from_secs(1);

/// After a failure files are tried again this much later.
const PAUSE: Duration = Duration::from_secs(5);

type Sealing = BoxFuture<'static, Result<Sealed, StoreError>>;

// === impl Feed ===

impl Feed {
    /// Runs until `stop`, or until the log can be read no more; the text says why then. What is in memory is written to files at the end.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), String> {
        // What a process that was killed had committed, but not told the log.
        let stored = self.store.stored_through();
        let mut sealing: Option<Sealing> = None;
        let mut reads = false;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_full = self.store.hot_bytes() >= self.most_bytes;
            tokio::select! {
                () = stop.cancelled() => break,
                result = wait(&mut sealing) => {
                    sealing = None;
                    if !self.after_seal(result).await {
                        sealing = Some(later(self.store.clone()));
                    }
                }
                record = self.reader.next(), if !is_full => match record {
                    Ok(record) => {
                        reads = true;
                        self.replay.take_if(|replay| record.seq.next() >= replay.until);
                        self.add(record, stored);
                    }
                    Err(ReadError::Closed) => break,
                    Err(ReadError::Failed(failure)) => return Err(format!("the log of spans has failed: {failure}")),
                    Err(problem) => {
                        self.metrics.unreadable.inc();
                        warn!(%problem, "the log of spans cannot be read; trying again");
                        tokio::time::sleep(TICK).await;
                    }
                },
                _ = tick.tick() => {
                    self.metrics.hot_bytes.set(gauge(self.store.hot_bytes()));
                    // Where the last records of an earlier run were lost, there is nothing more to wait for.
                    let waits = !std::mem::take(&mut reads) && !is_full;
                    self.replay.take_if(|_| waits);
                }
            }
            if sealing.is_none() && self.store.wants_seal() {
                let store = self.store.clone();
                sealing = Some(async move { store.seal().await }.boxed());
            }
        }
        if let Some(running) = sealing {
            // Another one would have to wait for it.
            let result = running.await;
            self.after_seal(result).await;
        }
        // What was acknowledged is in files once this process has ended well.
        while self.fill(stored).await {
            let result = self.store.seal().await;
            if !self.after_seal(result).await {
                break;
            }
        }
        Ok(())
    }

    /// Reads until memory is full or the log is at its end; whether there is anything to write to files.
    async fn fill(&mut self, stored: Option<u64>) -> bool {
        while self.store.hot_bytes() < self.most_bytes {
            match self.reader.try_next().await {
                Ok(Some(record)) => self.add(record, stored),
                _ => break,
            }
        }
        self.store.hot_bytes() > 0
    }

    fn add(&self, record: Record, stored: Option<u64>) {
        if stored.is_some_and(|stored| record.seq.get() <= stored) {
            return;
        }
        let seq = record.seq.get();
        let unreadable = |problem: &dyn std::fmt::Display| {
            self.metrics.unreadable.inc();
            error!(record = seq, %problem, "a record of the log is no request");
        };
        let Some((owner, request)) = record::read(record) else { return unreadable(&"it is of another version") };
        match Traces::parse(request) {
            Ok(traces) => self.store.add_as(&traces, &owner, Some(seq)),
            Err(problem) => unreadable(&problem),
        }
    }

    /// Whether files were written; if so, the log need not keep what is in them.
    async fn after_seal(&self, result: Result<Sealed, StoreError>) -> bool {
        match result {
            Ok(sealed) => {
                self.metrics.sealed(sealed);
                if let Some(through) = sealed.through {
                    commit(&self.reader.committer(), through).await;
                }
                true
            }
            Err(problem) => {
                self.metrics.failures.inc();
                error!(%problem, "spans cannot be written to files; they stay in the log and in memory");
                false
            }
        }
    }
}

async fn commit(committer: &Committer, through: u64) {
    // The manifest knows as well: the worst is that records are read and passed over at the next start.
    if let Err(problem) = committer.commit(Seq::new(through)).await {
        warn!(%problem, "the log keeps spans that are in files");
    }
}

/// Waits for files that are being written; for ever where none are.
async fn wait(sealing: &mut Option<Sealing>) -> Result<Sealed, StoreError> {
    match sealing {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

fn later(store: Store) -> Sealing {
    async move {
        tokio::time::sleep(PAUSE).await;
        store.seal().await
    }
    .boxed()
}

pub(crate) fn gauge(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
