//! Joins requests from the queue into batches, and splits them.

use std::collections::BTreeMap;
use std::sync::Arc;

use spanmill_otlp::SplitLimit;
use spanmill_pipeline::{Batch, Client};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::config::{BatchBlock, Sizer};
use super::pending::Pending;
use super::pieces::join;
use super::queue::Item;
use super::retry::Retry;
use super::transport::Transport;
use crate::partition::Partition;

/// The one task that takes from the queue where batching is on; sending runs beside it.
pub(super) struct Batcher<T> {
    config: BatchBlock,
    sizer: Sizer,
    shared: Arc<Shared<T>>,
    /// One collection a signal and partition: an exporter may serve pipelines of all three signals. Only those that hold something.
    collections: BTreeMap<(u8, Partition), Collection>,
    permits: Arc<Semaphore>,
    sending: JoinSet<()>,
}

/// Requests that wait to be joined.
struct Collection {
    parts: Vec<(Batch, Arc<Pending>)>,
    size: usize,
    deadline: Instant,
}

/// Batches to be sent one after the other, and the requests that they are made of.
pub(super) struct Joined {
    pub(super) batches: Vec<Batch>,
    pub(super) pending: Vec<Arc<Pending>>,
    /// What is true of the clients of all of them.
    pub(super) client: Option<Box<Client>>,
    /// What a request has behind it that was postponed.
    pub(super) retry: Option<Box<Retry>>,
}

// === impl Batcher ===

impl<T: Transport> Batcher<T> {
    pub(super) fn new(config: BatchBlock, shared: Arc<Shared<T>>) -> Self {
        let permits = Arc::new(Semaphore::new(shared.options.num_consumers));
        let sizer = shared.options.sizer_of(&config);
        Self { config, sizer, shared, collections: BTreeMap::new(), permits, sending: JoinSet::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            let deadline = self.collections.values().map(|collection| collection.deadline).min();
            let timeout = async move {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                biased;
                () = timeout => self.flush_where(false, |collection| collection.deadline <= Instant::now()).await,
                item = shared.queue.take() => match item {
                    Some(item) => self.collect(item).await,
                    None => break,
                },
            }
        }
        self.flush_where(false, |_| true).await;
        while self.sending.join_next().await.is_some() {}
    }

    async fn collect(&mut self, item: Item) {
        if let Some(retry) = self.shared.queue.postponed(&item).await {
            // It would hold up what it were joined with.
            return self.send(Joined::one(item, Some(retry))).await;
        }
        let partition = self.partition(&item);
        let Item { batch, cost, waiting, seq, .. } = item;
        self.hold(partition, batch, Pending::new(cost, waiting, seq));
        let min_size = self.config.min_size;
        self.flush_where(true, |collection| collection.size >= min_size.max(1)).await;
    }

    fn hold(&mut self, partition: Partition, batch: Batch, pending: Arc<Pending>) {
        let size = self.sizer.size(&batch);
        let deadline = Instant::now() + self.config.flush_timeout.to_std();
        let collection = self.collections.entry((batch.signal() as u8, partition));
        let collection = collection.or_insert_with(|| Collection { parts: Vec::new(), size: 0, deadline });
        collection.size += size;
        collection.parts.push((batch, pending));
    }

    fn partition(&self, item: &Item) -> Partition {
        let headers = item.client.as_ref().and_then(|client| client.headers.as_ref());
        match (self.config.partition.metadata_keys.as_slice(), headers) {
            ([], _) | (_, None) => Partition::default(),
            (keys, Some(headers)) => Partition::of(keys, headers),
        }
    }

    /// Hands full collections to senders. What a split leaves over may stay, to be joined with what comes.
    async fn flush_where(&mut self, rest_stays: bool, is_due: impl Fn(&Collection) -> bool) {
        let due = self.collections.extract_if(.., |_, collection| is_due(collection)).collect::<Vec<_>>();
        for ((_, partition), collection) in due {
            let client = Some(partition.client()).filter(|client| client.headers.is_some()).map(Box::new);
            let last = collection.parts.last().map(|(_, pending)| Arc::clone(pending));
            let mut joined = Joined::new(collection, client, self.limit());
            // All before the last request is less than a batch: what is left over is of that one.
            if rest_stays
                && joined.batches.len() > 1
                && let Some(last) = last
                && let Some(rest) = joined.batches.pop_if(|rest| self.sizer.size(rest) < self.config.min_size)
            {
                self.hold(partition, rest, last);
            }
            self.send(joined).await;
        }
    }

    /// Hands a batch to a sender; waits for one where all are busy.
    async fn send(&mut self, joined: Joined) {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        while self.sending.try_join_next().is_some() {}
        let shared = Arc::clone(&self.shared);
        self.sending.spawn(async move {
            shared.deliver(joined).await;
            drop(permit);
        });
    }

    fn limit(&self) -> SplitLimit {
        match self.sizer {
            Sizer::Bytes => SplitLimit::Bytes(self.config.max_size),
            Sizer::Items | Sizer::Requests => SplitLimit::Items(self.config.max_size),
        }
    }
}

// === impl Joined ===

impl Joined {
    /// A request that goes as it is.
    pub(super) fn one(item: Item, retry: Option<Box<Retry>>) -> Self {
        let Item { batch, cost, client, waiting, seq } = item;
        Self { batches: vec![batch], pending: vec![Pending::new(cost, waiting, seq)], client, retry }
    }

    fn new(collection: Collection, client: Option<Box<Client>>, limit: SplitLimit) -> Self {
        let (parts, pending): (Vec<Batch>, Vec<_>) = collection.parts.into_iter().unzip();
        let batches = join(parts).into_iter().flat_map(|one| one.split(limit)).collect();
        Self { batches, pending, client, retry: None }
    }
}
