//! `nop`: takes everything over and forgets it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, ExporterFactory, Kind, Node, Signal, Stability,
};

/// Makes `nop` exporters.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "nop",
        aliases: &[],
        stability: Stability::Stable,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// It has no options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct Nop;

impl Component for Nop {}

#[async_trait]
impl Consumer for Nop {
    async fn consume(&self, _batch: Batch) -> Result<(), ConsumeError> {
        Ok(())
    }
}

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    context.section.parse::<Config>()?;
    Ok(Arc::new(Nop))
}
