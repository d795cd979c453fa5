//! What waits to be sent, in memory or on disk.

mod aside;
mod dead_letters;
mod disk;
mod ending;
mod losses;
mod memory;
mod opened;
mod postponed;
mod progress;
mod room;

use std::sync::Arc;

use spanmill_pipeline::{Batch, Client, ComponentError, ConsumeError, Context, Host, Signal};
use spanmill_wal::Seq;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::config::{SendingQueue, Sizer};
use super::metrics::SIGNALS;
use super::retry::Retry;
use super::transport::SendError;
use disk::Disk;
pub(super) use memory::Memory;

/// A bounded queue.
pub(super) enum Queue {
    Memory(Memory),
    /// Survives the process.
    Disk(Arc<Disk>),
}

/// A request that is to be put in.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) batch: Batch,
    /// Who sent it, where that is known.
    pub(super) client: Option<Box<Client>>,
    /// Who waits for the result.
    pub(super) waiting: Option<oneshot::Sender<Result<(), ConsumeError>>>,
}

/// A request in the queue.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) batch: Batch,
    pub(super) cost: Cost,
    /// Who sent it, where that is known. On disk it is not kept.
    pub(super) client: Option<Box<Client>>,
    /// Who waits for the result.
    pub(super) waiting: Option<oneshot::Sender<Result<(), ConsumeError>>>,
    /// Its number on disk.
    pub(super) seq: Option<Seq>,
}

/// What an item takes of the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    size: usize,
    bytes: usize,
    /// Of each signal, by its number.
    items: [usize; 3],
}

/// Why a request was not put in.
#[derive(Debug)]
pub(super) enum Refused {
    Closed,
    TooLarge,
    Full(Offered),
    /// The disk cannot be trusted any more.
    Broken(String),
}

/// Waits until it is reached, looking again whenever something has changed.
async fn until(changed: &Notify, reached: impl Fn() -> bool) {
    loop {
        let changed = changed.notified();
        tokio::pin!(changed);
        // Enabled before looking, so that no change between looking and waiting is missed.
        changed.as_mut().enable();
        if reached() {
            return;
        }
        changed.await;
    }
}

// === impl Queue ===

impl Queue {
    /// `kind` is what the component is called in the name of its folder; `parsed` says whether spans are wanted parsed.
    pub(super) fn new(context: &Context<'_>, kind: &'static str, options: &SendingQueue, parsed: bool) -> Self {
        match &options.storage {
            Some(storage) if options.enabled => {
                Self::Disk(Arc::new(Disk::new(context, kind, storage, options, parsed)))
            }
            _ => Self::Memory(Memory::new(options.queue_size, options.sizer())),
        }
    }

    /// The folder that no other may have.
    pub(super) fn claim(&self) -> Option<String> {
        match self {
            Self::Memory(_) => None,
            Self::Disk(disk) => Some(disk.claim()),
        }
    }

    /// Opens what is on disk.
    pub(super) async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(disk) => disk.start(host).await,
        }
    }

    /// Whether what is not sent is still there the next time.
    pub(super) fn is_durable(&self) -> bool {
        matches!(self, Self::Disk(_))
    }

    /// Puts a request in, or says that there is no room.
    pub(super) async fn offer(&self, offered: Offered) -> Result<(), Refused> {
        match self {
            Self::Memory(memory) => memory.offer(offered),
            Self::Disk(disk) => disk.offer(offered).await,
        }
    }

    /// Waits until less is held than makes clients wait, or sending is in trouble.
    pub(super) async fn keep_pace(&self) {
        match self {
            Self::Memory(memory) => memory.keep_pace().await,
            Self::Disk(_) => {}
        }
    }

    /// Waits until there is room for the request.
    pub(super) async fn wait_for_room(&self, batch: &Batch) {
        match self {
            Self::Memory(memory) => memory.wait_for_room(batch).await,
            Self::Disk(disk) => disk.wait_for_room(batch).await,
        }
    }

    /// The next request; none once the queue is closed, and empty where it is in memory.
    pub(super) async fn take(&self) -> Option<Item> {
        match self {
            Self::Memory(memory) => memory.take().await,
            Self::Disk(disk) => disk.take().await,
        }
    }

    /// Gives back what requests took that are done with.
    pub(super) fn release(&self, cost: Cost, seqs: &[Seq]) {
        match self {
            Self::Memory(memory) => memory.release(cost),
            Self::Disk(disk) => disk.release(cost, seqs),
        }
    }

    /// Keeps requests for the next time that could not be sent before the end. Only for a durable queue.
    pub(super) fn leave(&self, cost: Cost) {
        if let Self::Disk(disk) = self {
            disk.leave(cost);
        }
    }

    /// Sets a batch aside that is refused for good. Tells whether it is done with, or stays for the next time; in memory there is no place for it.
    pub(super) async fn bury(&self, batch: &Batch, error: &SendError) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Disk(disk) => disk.bury(batch, error).await,
        }
    }

    /// Notes that a request begins or ends to wait for another try.
    pub(super) fn trouble(&self, begins: bool) {
        match self {
            Self::Memory(memory) => memory.trouble(begins),
            Self::Disk(disk) => disk.trouble(begins),
        }
    }

    /// Resolves once a request that keeps failing is to make room for others. In memory the others do not wait for it.
    pub(super) async fn is_in_the_way(&self, oldest: Option<Seq>, began: Instant) {
        match self {
            Self::Memory(_) => std::future::pending().await,
            Self::Disk(disk) => disk.is_in_the_way(oldest, began).await,
        }
    }

    /// Puts a batch in again behind the others; gives back what could not be put in.
    pub(super) async fn postpone(&self, batch: &Batch, retry: Box<Retry>) -> Option<Box<Retry>> {
        match self {
            Self::Memory(_) => Some(retry),
            Self::Disk(disk) => disk.postpone(batch, retry).await,
        }
    }

    /// What a request has behind it, where it was postponed.
    pub(super) async fn postponed(&self, item: &Item) -> Option<Box<Retry>> {
        match self {
            Self::Memory(_) => None,
            Self::Disk(disk) => disk.resume(item.seq?).await,
        }
    }

    /// Lets nothing more in. What is on disk is sent until the deadline.
    pub(super) fn close(&self, deadline: Instant) {
        match self {
            Self::Memory(memory) => memory.close(),
            Self::Disk(disk) => disk.close(deadline),
        }
    }

    /// Whether nothing more is begun: what is left is sent the next time.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Disk(disk) => disk.is_over(),
        }
    }

    /// Writes down what is done, after the last request.
    pub(super) async fn stop(&self) -> Result<(), ComponentError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(disk) => disk.stop().await,
        }
    }

    /// The items in memory that are not done with: lost with the process.
    pub(super) fn held(&self) -> Vec<(Signal, usize)> {
        match self {
            Self::Memory(memory) => SIGNALS.into_iter().zip(memory.items()).collect(),
            Self::Disk(_) => Vec::new(),
        }
    }

    /// How full it is, counted by the sizer.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.size(),
            Self::Disk(disk) => disk.size(),
        }
    }
}

// === impl Cost ===

impl Cost {
    fn of(batch: &Batch, sizer: Sizer) -> Self {
        let mut items = [0; 3];
        if let Some(of_signal) = items.get_mut(batch.signal() as usize) {
            *of_signal = batch.item_count();
        }
        Self { size: sizer.size(batch), bytes: batch.encoded_len(), items }
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let ([traces, metrics, logs], [more_traces, more_metrics, more_logs]) = (self.items, other.items);
        let items = [traces + more_traces, metrics + more_metrics, logs + more_logs];
        Self { size: self.size + other.size, bytes: self.bytes + other.bytes, items }
    }
}
