//! `queuebatch`: a queue, and batches made of what is in it: what exporters have, as a processor.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::{ComponentId, ConfigError, OptionalBlock, Section};
use spanmill_pipeline::{Batch, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use crate::exporters::sending::{
    Answer, BatchBlock, RetryOnFailure, SendError, Sending, SendingQueue, Sizer, Transport,
};

/// Makes `queuebatch` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "queuebatch",
        aliases: &["queue_batch"],
        stability: Stability::Development,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// Options of the `queuebatch` processor: those of an exporter's `sending_queue`, with other defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Batches that are sent at a time.
    num_consumers: usize,
    /// How much fits the queue, counted by `sizer`.
    queue_size: usize,
    /// What is counted: `requests`, `items` or `bytes`.
    sizer: Option<Sizer>,
    /// Whether a sender waits where the queue is full; otherwise it is told to come back later.
    block_on_overflow: bool,
    /// Whether a sender waits until the batch was taken over.
    wait_for_result: bool,
    /// The extension that keeps the queue on disk; not supported.
    storage: Option<ComponentId>,
    /// Joins requests, and splits them.
    batch: OptionalBlock<BatchBlock>,
}

/// What follows, as what a queue sends to.
struct Next(Arc<dyn Consumer>);

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let queue = Config::read(context.section)?;
    let once = RetryOnFailure { enabled: false, ..RetryOnFailure::default() };
    Ok(Arc::new(Sending::of_processor(&context, Next(next), queue, once)))
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            num_consumers: 1,
            queue_size: 10,
            sizer: None,
            block_on_overflow: true,
            wait_for_result: false,
            storage: None,
            batch: OptionalBlock::On(BatchBlock::default()),
        }
    }
}

impl Config {
    fn read(section: &Section) -> Result<SendingQueue, ConfigError> {
        let Self { num_consumers, queue_size, sizer, block_on_overflow, wait_for_result, storage, batch } =
            section.parse()?;
        let queue = SendingQueue {
            enabled: true,
            num_consumers,
            queue_size,
            sizer,
            block_on_overflow,
            wait_for_result,
            storage,
            batch,
        };
        queue.check_under(section, "")?;
        Ok(queue)
    }
}

// === impl Next ===

#[async_trait]
impl Transport for Next {
    type Request = Batch;

    fn request(&self, batch: &Batch) -> Batch {
        batch.clone().freeze()
    }

    async fn send(&self, _signal: Signal, request: Batch) -> Result<Answer, SendError> {
        self.0.consume(request).await?;
        Ok(Answer::default())
    }
}
