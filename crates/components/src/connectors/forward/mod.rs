//! `forward`: joins pipelines, unchanged.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::{ConfigError, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, Component, ConnectorFactory, ConsumeError, Consumer, Context, Kind, Node, Outputs, Signal, Stability,
};

/// Makes `forward` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind {
        name: "forward",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    connects: &[
        (PipelineSignal::Traces, PipelineSignal::Traces),
        (PipelineSignal::Metrics, PipelineSignal::Metrics),
        (PipelineSignal::Logs, PipelineSignal::Logs),
    ],
    create,
};

/// It has no options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct Forward {
    outputs: Outputs,
}

impl Component for Forward {}

#[async_trait]
impl Consumer for Forward {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match self.outputs.get(batch.signal()) {
            Some(next) => next.consume(batch).await,
            None => Err(ConsumeError::permanent(format!(
                "the forward connector has no {} pipeline behind it",
                batch.signal().as_str()
            ))),
        }
    }
}

fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    context.section.parse::<Config>()?;
    Ok(Arc::new(Forward { outputs }))
}
