//! `batch`: joins small requests into larger ones, by items, bytes and time.

mod config;
mod metrics;
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
use config::Config;
use metrics::Metrics;
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

struct BatchProcessor {
    background: Background<Batch>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let metrics = Metrics::new(context.telemetry, &context.id.to_string());
    let work = |input, stop| Box::new(Worker::new(config, signal, input, stop, next, metrics)).run();
    Ok(Arc::new(BatchProcessor { background: Background::new("batch", work) }))
}

// === impl BatchProcessor ===

#[async_trait]
impl Component for BatchProcessor {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        self.background.start();
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.background.shutdown().await
    }
}

#[async_trait]
impl Consumer for BatchProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.background.send(batch).await
    }
}
