//! What exporters that send requests have in common: a queue, batching, retries, and what they count.

mod batcher;
mod config;
mod life;
mod metrics;
mod pending;
mod queue;
mod retry;
mod transport;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use spanmill_otlp::SplitLimit;
use spanmill_pipeline::{
    Abandoned, Batch, Client, Code, Component, ComponentError, ConsumeError, Consumer, Context, Host,
};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinSet;

use batcher::{Batcher, Joined};
pub(crate) use config::{BatchBlock, RetryOnFailure, SendingQueue, Sizer};
use metrics::Metrics;
use pending::{Outcome, settle};
use queue::{Offered, Queue, Refused};
use retry::Schedule;
pub(crate) use transport::{Answer, SendError, Transport};

/// An exporter made of a transport.
pub(crate) struct Sending<T> {
    shared: Arc<Shared<T>>,
    /// Those who send; they stay here while they are waited for, so that they can be given up.
    workers: Mutex<JoinSet<()>>,
    stop: watch::Sender<bool>,
}

struct Shared<T> {
    transport: T,
    queue: Queue,
    options: SendingQueue,
    retry: RetryOnFailure,
    metrics: Metrics,
    /// The largest request that is sent as it is, in bytes: the backend refused larger ones, and took smaller ones.
    largest: AtomicUsize,
    stop: watch::Receiver<bool>,
    /// Items that were accepted, and given up since the exporter is stopping.
    lost: AtomicUsize,
}

/// A batch that was not sent.
struct Unsent {
    error: SendError,
    /// It was not given up: the exporter is stopping.
    interrupted: bool,
}

// === impl Sending ===

impl<T: Transport> Sending<T> {
    pub(crate) fn new(context: &Context<'_>, transport: T, options: SendingQueue, retry: RetryOnFailure) -> Self {
        let metrics = Metrics::of_exporter(context, &options);
        let queue = Queue::new(context, "exporter", &options, T::READS_SPANS);
        Self::of(queue, metrics, transport, options, retry)
    }

    /// The same as a processor, which counts under other names.
    pub(crate) fn of_processor(
        context: &Context<'_>,
        transport: T,
        options: SendingQueue,
        retry: RetryOnFailure,
    ) -> Self {
        let metrics = Metrics::of_processor(context, &options);
        let queue = Queue::new(context, "processor", &options, T::READS_SPANS);
        Self::of(queue, metrics, transport, options, retry)
    }

    fn of(queue: Queue, metrics: Metrics, transport: T, options: SendingQueue, retry: RetryOnFailure) -> Self {
        let (stop, stopping) = watch::channel(false);
        let largest = AtomicUsize::new(usize::MAX);
        let lost = AtomicUsize::new(0);
        let shared = Shared { transport, queue, options, retry, metrics, largest, stop: stopping, lost };
        Self { shared: Arc::new(shared), workers: Mutex::default(), stop }
    }

    async fn enqueue(&self, batch: Batch) -> Result<(), ConsumeError> {
        let shared = &*self.shared;
        let (signal, items) = (batch.signal(), batch.item_count());
        let (waiting, result) = if shared.options.wait_for_result {
            let (sender, receiver) = oneshot::channel();
            (Some(sender), Some(receiver))
        } else {
            (None, None)
        };
        // A queue on disk does not keep it.
        let kept = !shared.queue.is_durable();
        let client = Client::current(|client| client.carried().filter(|_| kept).map(Box::new));
        let mut offer = Offered { batch, client, waiting };
        let refused = loop {
            match shared.queue.offer(offer).await {
                Ok(()) => break None,
                Err(Refused::Full(refused)) if shared.options.block_on_overflow => {
                    shared.queue.wait_for_room(&refused.batch).await;
                    offer = refused;
                }
                Err(Refused::Full(_)) => {
                    break Some(ConsumeError::retryable("sending queue is full"));
                }
                Err(Refused::TooLarge) => {
                    let message = "element size too large for the sending queue";
                    break Some(ConsumeError::permanent(message).with_code(Code::ResourceExhausted));
                }
                Err(Refused::Broken(error)) => break Some(ConsumeError::retryable(error)),
                Err(Refused::Closed) => break Some(ConsumeError::retryable("the exporter is stopping")),
            }
        };
        shared.metrics.queue_size(shared.queue.size());
        if let Some(error) = refused {
            shared.metrics.enqueue_failed(signal, items);
            return Err(error);
        }
        match result {
            Some(result) => result.await.unwrap_or_else(|_| Err(ConsumeError::retryable("the exporter is stopping"))),
            None => {
                shared.queue.keep_pace().await;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl<T: Transport> Component for Sending<T> {
    /// A queue on disk has one owner.
    fn is_exclusive(&self) -> bool {
        self.shared.options.enabled && self.shared.options.storage.is_some()
    }

    fn claim(&self) -> Option<String> {
        self.shared.queue.claim()
    }

    fn queues(&self) -> bool {
        self.shared.options.enabled || self.shared.transport.queues()
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        self.shared.transport.start(host).await?;
        if !self.shared.options.enabled {
            return Ok(());
        }
        self.shared.queue.start(host).await?;
        self.shared.metrics.queue_size(self.shared.queue.size());
        let shared = Arc::clone(&self.shared);
        let mut workers = self.workers.lock().await;
        match shared.options.batch.as_ref().cloned() {
            None => {
                for _ in 0..shared.options.num_consumers {
                    workers.spawn(Arc::clone(&shared).in_time(host.all_started(), Arc::clone(&shared).work()));
                }
            }
            Some(batch) => {
                let batcher = Batcher::new(batch, Arc::clone(&shared));
                workers.spawn(shared.in_time(host.all_started(), batcher.run()));
            }
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.shared.queue.close();
        // Ends waits between tries: what is left is tried once more, then given up.
        let _ = self.stop.send(true);
        let mut workers = self.workers.lock().await;
        while let Some(worker) = workers.join_next().await {
            worker.map_err(|error| ComponentError::Other(format!("a sender ended badly: {error}")))?;
        }
        drop(workers);
        let closed = self.shared.queue.stop().await;
        self.shared.transport.stop().await.and(closed)?;
        match self.shared.lost.load(Ordering::Relaxed) {
            0 => Ok(()),
            lost => Err(ComponentError::Other(format!("{lost} items in its queue were not delivered"))),
        }
    }

    async fn abandon(&self) -> Abandoned {
        self.workers.lock().await.shutdown().await;
        // Who opens the log next finds what was not sent.
        if let Err(error) = self.shared.queue.stop().await {
            tracing::warn!(%error, "closing a queue that was given up");
        }
        self.shared.abandon().and(self.shared.transport.abandon().await)
    }
}

#[async_trait]
impl<T: Transport> Consumer for Sending<T> {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        if self.shared.options.enabled {
            self.enqueue(batch).await
        } else {
            self.shared.send(&batch).await.map_err(|unsent| unsent.error.into())
        }
    }
}

// === impl Shared ===

impl<T: Transport> Shared<T> {
    /// Sends one request after the other.
    async fn work(self: Arc<Self>) {
        while let Some(item) = self.queue.take().await {
            self.deliver(Joined::one(item)).await;
        }
    }

    /// Sends a batch on behalf of whoever sent its requests.
    async fn deliver(&self, mut joined: Joined) {
        match joined.client.take() {
            None => self.finish(joined).await,
            Some(client) => client.scope(self.finish(joined)).await,
        }
    }

    /// Sends a batch, tells who waits for it, and gives its room in the queue back.
    async fn finish(&self, joined: Joined) {
        let mut outcome = Outcome::default();
        for batch in &joined.batches {
            if let Err(Unsent { error, interrupted }) = self.send(batch).await {
                outcome.add(&Err(error.into()), interrupted);
            }
        }
        settle(joined.pending, &outcome, &self.queue);
        self.metrics.queue_size(self.queue.size());
    }

    /// Sends a batch, in pieces where the backend takes only such.
    async fn send(&self, batch: &Batch) -> Result<(), Unsent> {
        let mut result = Ok(());
        let mut limit = self.largest.load(Ordering::Relaxed);
        let mut waiting = in_pieces(batch.clone(), limit);
        while let Some(piece) = waiting.pop() {
            let Err(unsent) = self.send_one(&piece).await else {
                // Only what helped is remembered.
                self.largest.fetch_min(limit, Ordering::Relaxed);
                continue;
            };
            if unsent.error.too_large && piece.item_count() > 1 {
                let bytes = piece.encoded_len();
                tracing::warn!(bytes, error = %unsent.error, "the request is too large, it is sent in pieces");
                limit = limit.min(bytes / 2);
                waiting.extend(in_pieces(piece, limit));
                continue;
            }
            self.give_up(&piece, &unsent).await;
            result = Err(unsent);
        }
        result
    }

    /// What becomes of a batch that is not sent.
    async fn give_up(&self, batch: &Batch, unsent: &Unsent) {
        let (items, error) = (batch.item_count(), &unsent.error);
        if unsent.interrupted && self.queue.is_durable() {
            tracing::info!(%error, items, "exporting failed, the request stays in the queue");
            return;
        }
        self.metrics.failed(batch.signal(), items);
        if self.queue.is_durable() {
            tracing::error!(%error, items, "exporting failed, setting the request aside");
            self.queue.bury(batch, error).await;
        } else if self.options.enabled {
            if unsent.interrupted {
                self.lost.fetch_add(items, Ordering::Relaxed);
            }
            tracing::error!(%error, items, "exporting failed, dropping data");
        } else {
            tracing::error!(%error, items, "exporting failed, rejecting data");
        }
    }

    /// Sends until it works, or no longer makes sense, and counts.
    async fn send_one(&self, batch: &Batch) -> Result<(), Unsent> {
        let running = self.metrics.begin(batch.signal());
        let result = self.try_to_send(batch).await;
        if let Some(running) = running {
            running.end(result.as_ref().err().map(|unsent| unsent.error.to_string()));
        }
        result
    }

    async fn try_to_send(&self, batch: &Batch) -> Result<(), Unsent> {
        let (signal, items, request) = (batch.signal(), batch.item_count(), self.transport.request(batch));
        let mut schedule = Schedule::new(&self.retry, self.queue.is_durable());
        loop {
            let answer = tokio::select! {
                answer = self.transport.send(signal, request.clone()) => answer,
                () = self.patience_ends() => {
                    let error = SendError::unreachable("the backend has not answered, and the exporter is stopping");
                    return Err(Unsent { error, interrupted: true });
                }
            };
            let error = match answer {
                Ok(answer) => {
                    self.report(signal, items, &answer);
                    return Ok(());
                }
                Err(error) => error,
            };
            let Some(wait) = schedule.next(&error) else { return Err(Unsent { error, interrupted: false }) };
            if *self.stop.borrow() {
                return Err(Unsent { error, interrupted: true });
            }
            tracing::info!(%error, interval = ?wait, "exporting failed, will retry after an interval");
            self.queue.trouble(true);
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stopping| *stopping) => {}
            }
            self.queue.trouble(false);
        }
    }

    /// When an answer is no longer waited for: some time after the exporter was told to stop, where the next start sends the request again.
    async fn patience_ends(&self) {
        if !self.queue.is_durable() {
            return std::future::pending().await;
        }
        // The sender lives as long as the exporter.
        let _ = self.stop.clone().wait_for(|stopping| *stopping).await;
        tokio::time::sleep(queue::DRAIN).await;
    }

    fn report(&self, signal: spanmill_pipeline::Signal, items: usize, answer: &Answer) {
        let rejected = usize::try_from(answer.rejected).unwrap_or(usize::MAX).min(items);
        if rejected > 0 || !answer.message.is_empty() {
            tracing::warn!(message = answer.message, rejected, "partial success");
        }
        self.metrics.sent(signal, items - rejected);
        if rejected > 0 {
            self.metrics.failed(signal, rejected);
        }
    }
}

/// The batch as requests of at most so many bytes, the first one last. An item that is larger stands alone.
fn in_pieces(batch: Batch, largest: usize) -> Vec<Batch> {
    if batch.encoded_len() <= largest {
        return vec![batch];
    }
    let mut pieces = batch.split(SplitLimit::Bytes(largest.max(1)));
    pieces.reverse();
    pieces
}
