//! A queue on disk: requests are in a log before they are acknowledged, and stay there until they are sent or set aside.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use spanmill_config::ComponentId;
use spanmill_pipeline::{Batch, ComponentError, Context, Host};
use spanmill_wal::{AppendError, ReadError, Record, Seq};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::dead_letters::Counts;
use super::ending::Phase;
use super::losses::Losses;
use super::opened::{Left, Opened, batch_of};
use super::postponed::Postponed;
use super::progress::Progress;
use super::room::Room;
use super::{Cost, Item, Offered, Refused, until};
use crate::exporters::sending::config::{SendingQueue, Sizer};
use crate::storage::{Storage, claim, folder_name};

/// The log of one exporter, and what of it is on its way.
pub(in crate::exporters::sending) struct Disk {
    pub(super) id: ComponentId,
    kind: &'static str,
    storage: ComponentId,
    pub(super) sizer: Sizer,
    /// Whether spans are wanted parsed.
    parsed: bool,
    /// How many requests are sent at a time.
    pub(super) consumers: usize,
    pub(super) room: Room,
    counts: Counts,
    pub(super) opened: OnceLock<Opened>,
    state: Mutex<State>,
    pub(super) postponed: Postponed,
    /// Something went out, is in trouble, or the queue was closed.
    pub(super) changed: Notify,
    pub(super) phase: watch::Sender<Phase>,
    /// Records that are being set aside beside the others.
    pub(super) unread: Mutex<JoinSet<()>>,
    pub(super) losses: Losses,
    /// The log has said that the disk has no room.
    told_full: AtomicBool,
    /// The log has said that a request could not be set aside.
    pub(super) told_unwritten: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) progress: Progress,
    /// Bytes of requests that were taken and not given back.
    pub(super) bytes: usize,
    /// Requests that are waiting for another try.
    pub(super) in_trouble: usize,
    /// At the end: how many requests in a row were not taken by the backend, and how many that may be.
    pub(super) in_vain: usize,
    pub(super) patience: usize,
}

/// Room for a request that is being written; given back unless it was.
pub(super) struct Reserved<'a>(&'a Disk, usize);

/// How often what is done is written down: so much may be sent again after a crash.
pub(super) const COMMIT_INTERVAL: Duration = Duration::from_millis(20);

/// Requests that are on their way take about so much memory at most; one is always taken.
const TAKEN_BYTES: usize = 32 << 20;

/// So many requests are on their way at most.
const TAKEN: usize = 1 << 16;

/// So many requests beyond the oldest one that is not done may be done at most: all of them may be sent again after a crash. It is postponed much
/// earlier, unless it has neither an answer nor an end.
const DONE_AHEAD: usize = 1 << 20;

/// How long to wait before reading again what could not be read.
const READ_AGAIN: Duration = Duration::from_secs(1);

// === impl Disk ===

impl Disk {
    pub(super) fn new(
        context: &Context<'_>,
        kind: &'static str,
        storage: &ComponentId,
        options: &SendingQueue,
        parsed: bool,
    ) -> Self {
        Self {
            id: context.id.clone(),
            kind,
            storage: storage.clone(),
            sizer: options.sizer(),
            parsed,
            consumers: options.num_consumers,
            room: Room::new(options.queue_size),
            counts: Counts::new(context, kind),
            opened: OnceLock::new(),
            state: Mutex::default(),
            postponed: Postponed::new(context, kind),
            changed: Notify::new(),
            phase: watch::Sender::new(Phase::Open),
            unread: Mutex::default(),
            losses: Losses::new(context, kind),
            told_full: AtomicBool::new(false),
            told_unwritten: AtomicBool::new(false),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn claim(&self) -> String {
        claim(&self.storage, &folder_name(self.kind, &self.id))
    }

    pub(super) async fn start(self: &Arc<Self>, host: &Host) -> Result<(), ComponentError> {
        let storage = Storage::of(host, &self.storage)?;
        let folder = storage.folder(self.kind, &self.id);
        let failed = |error: &dyn std::fmt::Display| {
            ComponentError::Other(format!("cannot open the queue in {}: {error}", folder.display()))
        };
        let replaying = host.replaying(format!("queue of the \"{}\" {}", self.id, self.kind));
        let opened = Opened::open(&folder, &storage, self.sizer, self.counts.clone()).await;
        let (opened, Left { requests, size }) = opened.map_err(|error| failed(&error))?;
        drop(replaying);
        self.postponed.bound(storage.options.max_bytes);
        self.losses.look(&opened.wal.stats());
        self.room.found(size);
        if requests > 0 {
            tracing::info!(queue = %self.id, requests, "requests of an earlier run are sent first");
        }
        let (wal, host, id) = (opened.wal.clone(), host.clone(), self.id.clone());
        let watching = tokio::spawn(async move {
            let failure = wal.failed().await;
            host.fatal(format!("the queue of {id} can no longer be trusted: {failure}"));
        });
        let committing = tokio::spawn(Arc::clone(self).keep_committing());
        opened.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend([watching, committing]);
        self.opened.set(opened).map_err(|_| failed(&"it is open already"))?;
        self.changed.notify_waiters();
        Ok(())
    }

    /// Resolves once the request is durable.
    pub(super) async fn offer(&self, offered: Offered) -> Result<(), Refused> {
        let Some(opened) = self.opened.get().filter(|_| *self.phase.borrow() == Phase::Open) else {
            return Err(Refused::Closed);
        };
        let batch = &offered.batch;
        let cost = Cost::of(batch, self.sizer);
        if !self.room.is_possible(cost.size) {
            return Err(Refused::TooLarge);
        }
        if !self.room.reserve(cost.size) {
            return Err(Refused::Full(offered));
        }
        let reserved = self.reserved(cost.size);
        match opened.wal.append(batch.signal() as u8, batch.encode()).await {
            Ok(_) => {
                reserved.written();
                if self.told_full.load(Ordering::Relaxed) && self.told_full.swap(false, Ordering::Relaxed) {
                    tracing::info!(queue = %self.id, "there is room on disk again");
                }
                Ok(())
            }
            Err(AppendError::TooLarge { .. }) => Err(Refused::TooLarge),
            Err(error) if error.is_retryable() => {
                // Once, not for each sender that comes again.
                if !self.told_full.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, queue = %self.id, "no room on disk: requests are refused until there is");
                }
                Err(Refused::Full(offered))
            }
            Err(AppendError::Closed) => Err(Refused::Closed),
            Err(error) => Err(Refused::Broken(error.to_string())),
        }
    }

    /// Room that has been taken.
    pub(super) fn reserved(&self, size: usize) -> Reserved<'_> {
        Reserved(self, size)
    }

    pub(super) async fn wait_for_room(&self, batch: &Batch) {
        let size = self.sizer.size(batch);
        let has_room = || self.room.has(size) || *self.phase.borrow() != Phase::Open;
        let waited = has_room();
        self.until(has_room).await;
        if waited {
            // The queue had room all the time, so it is the disk that has none.
            sleep(COMMIT_INTERVAL).await;
        }
    }

    pub(super) async fn until(&self, reached: impl Fn() -> bool) {
        until(&self.changed, reached).await;
    }

    /// The next request; none once nothing more is to be sent.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Item> {
        let opened = self.opened.get()?;
        let mut reader = opened.reader.lock().await;
        loop {
            self.until(|| *self.phase.borrow() == Phase::Closed || self.may_take()).await;
            let phase = *self.phase.borrow();
            let record = match phase {
                Phase::Closed => return None,
                Phase::Draining(until) if Instant::now() >= until => return None,
                Phase::Draining(until) => timeout_at(until, reader.try_next()).await.ok()?,
                Phase::Open => {
                    let changed = self.changed.notified();
                    let written = self.room.written();
                    match reader.try_next().await {
                        Ok(None) => {
                            self.all_is_read(written);
                            let mut phase = self.phase.subscribe();
                            tokio::select! {
                                biased;
                                _ = phase.wait_for(|phase| *phase != Phase::Open) => continue,
                                record = reader.next() => record.map(Some),
                                // What was on its way may be done.
                                () = changed => continue,
                            }
                        }
                        record => record,
                    }
                }
            };
            match record {
                Ok(Some(record)) => {
                    if let Some(item) = self.taken(record) {
                        return Some(item);
                    }
                }
                // All is sent, or being sent.
                Ok(None) | Err(ReadError::Closed | ReadError::Failed(_)) => return None,
                Err(error) => {
                    tracing::error!(%error, queue = %self.id, "reading the queue failed, trying again");
                    sleep(READ_AGAIN).await;
                }
            }
        }
    }

    /// What was written when there were so many requests has been read.
    fn all_is_read(&self, written: u64) {
        let nothing_is_on_its_way = self.state().progress.is_all_done();
        if nothing_is_on_its_way && self.room.settle(written) {
            if let Some(opened) = self.opened.get() {
                self.losses.look(&opened.wal.stats());
            }
            self.changed.notify_waiters();
        }
    }

    fn may_take(&self) -> bool {
        let state = self.state();
        let progress = &state.progress;
        state.bytes == 0
            || (state.bytes < TAKEN_BYTES && progress.waiting() < TAKEN && progress.done_ahead() < DONE_AHEAD)
    }

    fn taken(self: &Arc<Self>, record: Record) -> Option<Item> {
        let (seq, payload) = (record.seq, record.payload.clone());
        self.state().progress.take(seq, payload.len());
        match batch_of(record, self.parsed) {
            Ok(batch) => {
                let cost = Cost::of(&batch, self.sizer);
                self.state().bytes += cost.bytes;
                Some(Item { batch, cost, client: None, waiting: None, seq: Some(seq) })
            }
            Err(error) => {
                self.bury_unread(seq, payload, &error);
                None
            }
        }
    }

    /// The requests are done with, whatever became of them.
    pub(super) fn release(&self, cost: Cost, seqs: &[Seq]) {
        // Before they count as done: where nothing is on its way, what counts is looked at.
        self.room.give_back(cost.size);
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(cost.bytes);
        state.progress.done(seqs);
        if !seqs.is_empty() {
            state.in_vain = 0;
        }
        self.postponed.look(&state.progress);
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn trouble(&self, begins: bool) {
        let mut state = self.state();
        state.in_trouble = if begins { state.in_trouble + 1 } else { state.in_trouble.saturating_sub(1) };
        drop(state);
        if begins {
            self.changed.notify_waiters();
        }
    }

    pub(super) fn size(&self) -> usize {
        self.room.size()
    }
}

// === impl Reserved ===

impl Reserved<'_> {
    pub(super) fn written(self) {
        self.0.room.came(self.1, true);
        self.0.changed.notify_waiters();
        std::mem::forget(self);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.room.came(self.1, false);
        self.0.changed.notify_waiters();
    }
}
