//! `groupbytrace`: holds spans until their trace is likely to be complete, and sends each trace as a whole.

mod config;
mod held;
mod metrics;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};

use super::background::Background;
use config::Config;
use held::Held;
use metrics::Metrics;
use worker::Worker;

/// Makes `groupbytrace` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "groupbytrace", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

struct GroupByTrace {
    background: Background<Traces>,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let metrics = Metrics::new(context.telemetry, &context.id.to_string());
    metrics.most_traces.set(i64::try_from(config.traces).unwrap_or(i64::MAX));
    let held = Held::new(config.wait, config.traces);
    let to = Arc::clone(&next);
    let work = |input, stop| Worker { held, metrics, input, stop, next: to }.run();
    Ok(Arc::new(GroupByTrace { background: Background::new("groupbytrace", work), next }))
}

// === impl GroupByTrace ===

#[async_trait]
impl Component for GroupByTrace {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        self.background.start();
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.background.shutdown().await
    }
}

#[async_trait]
impl Consumer for GroupByTrace {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match batch {
            Batch::Traces(traces) => self.background.send(traces.freeze()).await,
            other => self.next.consume(other).await,
        }
    }
}
