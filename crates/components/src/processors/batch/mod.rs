//! `batch`: joins small requests into larger ones, by items, bytes and time.

mod config;
mod metrics;
mod shards;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};

use super::background::Background;
use crate::partition::Partition;
use config::Config;
use metrics::Metrics;
use shards::Shards;
use worker::Worker;

/// Makes `batch` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "batch",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// Its workers: the only one, or one for each combination of client metadata.
enum BatchProcessor {
    One(Background<Batch>),
    Many(Shards),
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let mut config = Config::read(context.section)?;
    let (keys, limit) = (std::mem::take(&mut config.metadata_keys), config.metadata_cardinality_limit as usize);
    let metrics = Metrics::new(context.telemetry, &context.id.to_string());
    let cardinality = metrics.cardinality.clone();
    let make = move |partition: &Partition| {
        let (config, next, metrics) = (config.clone(), Arc::clone(&next), metrics.clone());
        let client = partition.client();
        // What follows learns of the client what all requests of a batch have in common.
        let work = |input, stop| client.scope(Box::new(Worker::new(config, signal, input, stop, next, metrics)).run());
        Background::new("batch", work)
    };
    Ok(Arc::new(if keys.is_empty() {
        // One combination: none.
        cardinality.set(1);
        BatchProcessor::One(make(&Partition::default()))
    } else {
        BatchProcessor::Many(Shards::new(keys, limit, cardinality, Box::new(make)))
    }))
}

// === impl BatchProcessor ===

#[async_trait]
impl Component for BatchProcessor {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        if let Self::One(worker) = self {
            worker.start();
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        match self {
            Self::One(worker) => worker.shutdown().await,
            Self::Many(shards) => shards.shutdown().await,
        }
    }
}

#[async_trait]
impl Consumer for BatchProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match self {
            Self::One(worker) => worker.send(batch).await,
            Self::Many(shards) => shards.send(batch).await,
        }
    }
}
