//! `span_metrics`: counts spans and measures their durations, by their attributes.

mod adjusted;
mod collect;
mod config;
mod plan;
mod span;
mod starts;
mod state;
mod table;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ConfigError, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConnectorFactory, ConsumeError, Consumer, Context, Host, Kind, Node, Outputs,
    Signal, Stability,
};

use config::Config;
use state::State;

use crate::connectors::metrics::{Flusher, Sender};

/// Makes `span_metrics` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind {
        name: "span_metrics",
        aliases: &["spanmetrics"],
        stability: Stability::Alpha,
        signals: &[Signal::Traces],
    },
    connects: &[(PipelineSignal::Traces, PipelineSignal::Metrics)],
    create,
};

struct SpanMetrics {
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
    if config.dimensions_cache_size != 0 {
        let message = "dimensions_cache_size means nothing any more, use aggregation_cardinality_limit instead";
        tracing::warn!(connector = %context.id, "{message}");
    }
    let uncounted = context.telemetry.counter(
        "spanmill_connector_span_metrics_uncounted_spans",
        "Spans that were not counted, by reason",
        &[("connector", &context.id.to_string()), ("reason", "too_many_resources")],
    );
    let flusher = Flusher::new(config.metrics_flush_interval.to_std());
    let own;
    let instance = match context.telemetry.instance() {
        "" => {
            own = random_id();
            own.as_str()
        }
        instance => instance,
    };
    let state = Arc::new(Mutex::new(State::new(config, instance)));
    Ok(Arc::new(SpanMetrics { state, sender: Sender::new(&context, next), flusher, uncounted }))
}

/// For a process without an id.
fn random_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

// === impl SpanMetrics ===

#[async_trait]
impl Component for SpanMetrics {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
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
impl Consumer for SpanMetrics {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let Batch::Traces(traces) = batch else {
            return Err(ConsumeError::permanent("the span_metrics connector takes spans only"));
        };
        let uncounted = self.state.lock().unwrap_or_else(PoisonError::into_inner).count(&traces);
        self.uncounted.inc_by(uncounted);
        Ok(())
    }
}
