//! `count`: counts spans, span events, metrics, data points and log records that meet conditions.

mod config;
mod counter;
mod definition;
mod opaque;
mod spans;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::{ConfigError, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, Code, Component, ConnectorFactory, ConsumeError, Consumer, Context, Kind, Node, Outputs, Signal, Stability,
};

use config::Plan;

use crate::connectors::metrics::Sender;

/// Makes `count` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind {
        name: "count",
        aliases: &[],
        stability: Stability::Alpha,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    connects: &[
        (PipelineSignal::Traces, PipelineSignal::Metrics),
        (PipelineSignal::Metrics, PipelineSignal::Metrics),
        (PipelineSignal::Logs, PipelineSignal::Metrics),
    ],
    create,
};

/// The scope of the metrics, by the Collector's name.
const SCOPE: &str = "github.com/open-telemetry/opentelemetry-collector-contrib/connector/countconnector";

struct Count {
    plan: Plan,
    sender: Arc<Sender>,
}

fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let plan = Plan::read(context.section)?;
    let Some(next) = outputs.metrics else {
        return Err(context.section.error("", "no metrics pipeline receives from this connector"));
    };
    Ok(Arc::new(Count { plan, sender: Sender::new(&context, next) }))
}

/// The same items would fail in the same way: a retry cannot help.
fn refused(error: impl std::error::Error) -> ConsumeError {
    ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument)
}

// === impl Count ===

impl Component for Count {}

#[async_trait]
impl Consumer for Count {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let metrics = match &batch {
            Batch::Traces(traces) => spans::count(&self.plan, traces).map_err(refused)?,
            Batch::Opaque(opaque) if opaque.signal() == Signal::Logs => opaque::count_logs(&self.plan, opaque)?,
            Batch::Opaque(opaque) => opaque::count_metrics(&self.plan, opaque)?,
        };
        self.sender.send(metrics).await
    }
}
