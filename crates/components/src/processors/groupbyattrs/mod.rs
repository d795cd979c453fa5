//! `groupbyattrs`: moves attributes from spans to resources, and puts spans of the same resource together.

mod config;
mod group;
mod metrics;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use group::{Grouping, Tally};
use metrics::Metrics;

/// Makes `groupbyattrs` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "groupbyattrs",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct GroupByAttrs {
    grouping: Grouping,
    metrics: Metrics,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let grouping = Grouping::new(config::read(context.section, signal)?);
    let metrics = Metrics::new(context.telemetry);
    Ok(Arc::new(GroupByAttrs { grouping, metrics, next }))
}

// === impl GroupByAttrs ===

#[async_trait]
impl Component for GroupByAttrs {}

#[async_trait]
impl Consumer for GroupByAttrs {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(traces) => {
                let (grouped, Tally { moved, groups }) = self.grouping.group(traces).map_err(|error| {
                    // The same spans would fail in the same way: a retry cannot help.
                    ConsumeError::permanent(error.to_string()).with_code(Code::ResourceExhausted)
                })?;
                self.metrics.grouped.inc_by(moved as u64);
                self.metrics.not_grouped.inc_by(grouped.span_count().saturating_sub(moved) as u64);
                if let Some(histogram) = &self.metrics.groups {
                    histogram.observe(groups as f64);
                }
                Batch::Traces(grouped)
            }
            // Without keys metrics and logs have nothing to be changed.
            other => other,
        };
        self.next.consume(batch).await
    }
}
