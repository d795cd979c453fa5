//! `genai_metrics`: the GenAI conventions' metrics, of spans that went through the `genai` processor.

mod call;
mod collect;
mod config;
mod failed;
mod metric;
mod state;
mod surroundings;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConnectorFactory, ConsumeError, Consumer, Context, Host, Kind, Node, Outputs,
    Signal, Stability,
};

use config::Config;
use state::State;

use crate::connectors::metrics::{Flusher, Sender};

/// Makes `genai_metrics` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind { name: "genai_metrics", aliases: &[], stability: Stability::Alpha, signals: &[Signal::Traces] },
    connects: &[(PipelineSignal::Traces, PipelineSignal::Metrics)],
    create,
};

struct GenAiMetrics {
    id: ComponentId,
    state: Arc<Mutex<State>>,
    sender: Arc<Sender>,
    flusher: Flusher,
    uncounted: IntCounter,
}

fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let Some(next) = outputs.metrics else {
        return Err(context.section.error("", "no metrics pipeline receives from this connector"));
    };
    let uncounted = context.telemetry.counter(
        "spanmill_connector_genai_metrics_uncounted_calls",
        "Calls that were not counted, by reason",
        &[("connector", &context.id.to_string()), ("reason", "too_many_resources")],
    );
    let flusher = Flusher::new(config.metrics_flush_interval.to_std());
    let state = Arc::new(Mutex::new(State::new(config)));
    let id = context.id.clone();
    Ok(Arc::new(GenAiMetrics { id, state, sender: Sender::new(&context, next), flusher, uncounted }))
}

// === impl GenAiMetrics ===

#[async_trait]
impl Component for GenAiMetrics {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        for warning in surroundings::warnings(&host.layout(), &self.id) {
            tracing::warn!("{warning}");
        }
        let state = Arc::clone(&self.state);
        let collect = move || state.lock().unwrap_or_else(PoisonError::into_inner).collect();
        self.flusher.start(Arc::clone(&self.sender), collect);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.flusher.stop().await
    }
}

#[async_trait]
impl Consumer for GenAiMetrics {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let Batch::Traces(traces) = batch else {
            return Err(ConsumeError::permanent("the genai_metrics connector takes spans only"));
        };
        let uncounted = self.state.lock().unwrap_or_else(PoisonError::into_inner).count(&traces);
        self.uncounted.inc_by(uncounted);
        Ok(())
    }
}
