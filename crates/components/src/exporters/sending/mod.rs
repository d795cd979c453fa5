//! What exporters that send requests have in common: a queue, batching, retries, and what they count.

mod batcher;
mod config;
mod delivery;
mod life;
mod metrics;
mod pending;
mod pieces;
mod queue;
mod retry;
mod sizes;
mod transport;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use spanmill_pipeline::{
    Abandoned, Batch, Client, Code, Component, ComponentError, ConsumeError, Consumer, Context, Host,
};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use batcher::Batcher;
pub(crate) use config::{BatchBlock, RetryOnFailure, SendingQueue, Sizer};
use metrics::Metrics;
use queue::{Offered, Queue, Refused};
use sizes::Sizes;
pub(crate) use transport::{Answer, SendError, Transport};

/// An exporter made of a transport.
pub(crate) struct Sending<T> {
    shared: Arc<Shared<T>>,
    /// Those who send; they stay here while they are waited for, so that they can be given up.
    workers: Mutex<JoinSet<()>>,
    stop: watch::Sender<Option<Instant>>,
}

struct Shared<T> {
    transport: T,
    queue: Queue,
    options: SendingQueue,
    retry: RetryOnFailure,
    metrics: Metrics,
    sizes: Sizes,
    /// Until when answers are waited for, once the exporter was told to stop, where the next start sends the request again.
    stop: watch::Receiver<Option<Instant>>,
    /// Items that were accepted, and given up since the exporter is stopping.
    lost: AtomicUsize,
}

/// How long what is left of a queue on disk is still sent at the end, as long as the backend takes it. The rest waits there.
const DRAIN: Duration = Duration::from_secs(5);

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
        let (stop, stopping) = watch::channel(None);
        let lost = AtomicUsize::new(0);
        let shared =
            Shared { transport, queue, options, retry, metrics, sizes: Sizes::default(), stop: stopping, lost };
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
        // One for all that is left, however many requests that are.
        let deadline = Instant::now() + DRAIN;
        self.shared.queue.close(deadline);
        // Ends waits between tries: what is left is tried once more, then given up.
        let _ = self.stop.send(Some(deadline));
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
        if self.shared.options.enabled { self.enqueue(batch).await } else { Ok(self.shared.send_now(&batch).await?) }
    }
}
