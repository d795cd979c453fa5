//! Requests that keep failing, and hold up others on disk: they are written again at the end of the log.
//!
//! A log forgets what is before the oldest request that is not done, and nothing else. One that a backend refuses again and again would keep all
//! that was sent since on the disk, to be sent once more after a crash.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus::IntCounter;
use spanmill_otlp::SplitLimit;
use spanmill_pipeline::{Batch, Context};
use spanmill_wal::Seq;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::disk::Disk;
use super::progress::Progress;
use crate::exporters::sending::retry::Retry;

/// What was written again.
#[derive(Debug)]
pub(super) struct Postponed {
    /// Locked while one is being written, so that none is taken before what it has behind it is known.
    retries: tokio::sync::Mutex<BTreeMap<Seq, Box<Retry>>>,
    /// The oldest request that is not done, while it holds up others.
    in_the_way: watch::Sender<Option<Seq>>,
    items: IntCounter,
    /// How much of the disk requests may take that are done and not forgotten.
    bytes: AtomicU64,
}

/// A request is postponed once so many after it are done.
pub(super) const DONE_AFTER: usize = 1 << 16;

/// Or once those take so much of the disk, and no more than a quarter of what the log may take.
const DONE_BYTES_AFTER: u64 = 256 << 20;

/// Or after so long while all senders have requests that keep failing, and others wait.
pub(super) const TURN: Duration = Duration::from_secs(300);

/// A record has at most about so many bytes: less than a log takes.
const RECORD_BYTES: usize = 32 << 20;

// === impl Postponed ===

impl Postponed {
    pub(super) fn new(context: &Context<'_>, kind: &'static str) -> Self {
        let id = context.id.to_string();
        let name = format!("spanmill_{kind}_postponed_items");
        let help = "Number of items that were put behind others in the queue, since the backend kept failing at them.";
        let items = context.telemetry.counter(&name, help, &[(kind, &id)]);
        Self {
            retries: tokio::sync::Mutex::default(),
            in_the_way: watch::Sender::new(None),
            items,
            bytes: DONE_BYTES_AFTER.into(),
        }
    }

    /// The log takes so much of the disk at most.
    pub(super) fn bound(&self, log: u64) {
        self.bytes.fetch_min(log / 4, Ordering::Relaxed);
    }

    /// Looks whether the oldest request holds up others now.
    pub(super) fn look(&self, progress: &Progress) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let is_far = progress.done_ahead() >= DONE_AFTER || progress.done_bytes_ahead() >= bytes;
        let now = progress.oldest().filter(|_| is_far);
        self.in_the_way.send_if_modified(|before| std::mem::replace(before, now) != now);
    }
}

// === impl Disk ===

impl Disk {
    /// Resolves once a request that keeps failing since then is to make room for others.
    pub(super) async fn is_in_the_way(&self, oldest: Option<Seq>, began: Instant) {
        let mut in_the_way = self.postponed.in_the_way.subscribe();
        let holds_up = in_the_way.wait_for(|seq| seq.is_some() && *seq == oldest);
        let had_its_turn = async {
            sleep_until(began + TURN).await;
            self.until(|| self.is_stuck()).await;
        };
        tokio::select! {
            _ = holds_up => {}
            () = had_its_turn => {}
        }
    }

    /// Whether all senders have requests that keep failing, and there are others. One sender alone keeps the order.
    fn is_stuck(&self) -> bool {
        let Some(opened) = self.opened.get().filter(|_| self.consumers > 1) else { return false };
        let state = self.state();
        let more = || state.progress.last().is_some_and(|last| last.next() < opened.wal.next_seq());
        state.in_trouble >= self.consumers && more()
    }

    /// Writes a batch at the end of the log, so that its requests are done with; gives back what could not be written.
    pub(super) async fn postpone(&self, batch: &Batch, retry: Box<Retry>) -> Option<Box<Retry>> {
        let Some(opened) = self.opened.get() else { return Some(retry) };
        let items = batch.item_count();
        let mut retries = self.postponed.retries.lock().await;
        let mut last = None;
        for part in batch.clone().split(SplitLimit::Bytes(RECORD_BYTES)) {
            let size = self.sizer.size(&part);
            // It has been let in already.
            self.room.force(size);
            let reserved = self.reserved(size);
            match opened.wal.append(part.signal() as u8, part.encode()).await {
                Ok(seq) => last = Some(seq),
                Err(error) => {
                    let what = "a request that keeps failing holds up others, and could not be put behind them";
                    tracing::warn!(%error, queue = %self.id, items, "{what}");
                    return Some(retry);
                }
            }
            reserved.written();
        }
        retries.extend(last.map(|seq| (seq, retry)));
        self.postponed.items.inc_by(items as u64);
        tracing::warn!(
            queue = %self.id,
            items,
            "the backend keeps failing at a request and takes others: it was put behind them in the queue"
        );
        None
    }

    /// What a request has behind it that was postponed.
    pub(super) async fn resume(&self, seq: Seq) -> Option<Box<Retry>> {
        self.postponed.retries.lock().await.remove(&seq)
    }
}
