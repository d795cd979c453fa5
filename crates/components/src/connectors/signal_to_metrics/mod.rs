//! `signal_to_metrics`: sums, gauges and histograms of what expressions give for each span, data point or log record.

mod aggregate;
mod config;
mod definition;
mod making;
mod records;
mod spans;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, Code, Component, ConnectorFactory, ConsumeError, Consumer, Context, Kind, Node, Outputs, Signal, Stability,
};

use config::Plan;
use making::ItemError;

use crate::connectors::metrics::Sender;

/// Makes `signal_to_metrics` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind {
        name: "signal_to_metrics",
        aliases: &["signaltometrics"],
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
const SCOPE: &str = "github.com/open-telemetry/opentelemetry-collector-contrib/connector/signaltometricsconnector";

struct SignalToMetrics {
    id: ComponentId,
    plan: Plan,
    instance: String,
    sender: Arc<Sender>,
    ignored: IntCounter,
}

fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let plan = Plan::read(context.section)?;
    let Some(next) = outputs.metrics else {
        return Err(context.section.error("", "no metrics pipeline receives from this connector"));
    };
    let ignored = context.telemetry.counter(
        "spanmill_connector_signal_to_metrics_ignored_errors",
        "Errors of conditions and values that were passed over",
        &[("connector", &context.id.to_string())],
    );
    let (id, instance) = (context.id.clone(), context.telemetry.instance().to_owned());
    Ok(Arc::new(SignalToMetrics { id, plan, instance, sender: Sender::new(&context, next), ignored }))
}

/// The same items would fail in the same way: a retry cannot help.
fn refused(error: &ItemError) -> ConsumeError {
    ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument)
}

// === impl SignalToMetrics ===

impl Component for SignalToMetrics {}

#[async_trait]
impl Consumer for SignalToMetrics {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let (mut first, mut errors) = (None, 0);
        let mut ignored = |error: &ItemError| {
            errors += 1;
            first.get_or_insert_with(|| error.to_string());
        };
        let made = match &batch {
            Batch::Traces(traces) => {
                spans::make(&self.plan, &self.instance, traces, &mut ignored).map_err(|error| refused(&error))
            }
            Batch::Opaque(opaque) => records::make(&self.plan, &self.instance, opaque, &mut ignored),
        };
        self.ignored.inc_by(errors);
        if let Some(error) = first {
            tracing::warn!(connector = %self.id, errors, error, "items were passed over");
        }
        self.sender.send(made?).await
    }
}
