//! `failover`: sends to the best pipelines that work.

mod config;
mod selector;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError, PipelineId, Section, Signal as PipelineSignal};
use spanmill_pipeline::{
    Batch, ConnectorFactory, ConsumeError, Consumer, Context, Kind, Node, Outputs, Signal, Stability,
};

use crate::exporters::sending::{Answer, RetryOnFailure, SendError, Sending, Transport};
use config::{Conditions, Config};
use selector::Selector;

/// Makes `failover` connectors.
pub const FACTORY: ConnectorFactory = ConnectorFactory {
    kind: Kind {
        name: "failover",
        aliases: &[],
        stability: Stability::Alpha,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    connects: &[
        (PipelineSignal::Traces, PipelineSignal::Traces),
        (PipelineSignal::Metrics, PipelineSignal::Metrics),
        (PipelineSignal::Logs, PipelineSignal::Logs),
    ],
    create,
};

/// The levels, as what the queue before them sends to.
struct Levels {
    id: ComponentId,
    levels: Vec<Arc<dyn Consumer>>,
    selector: Selector,
    condition: Option<Conditions>,
    failovers: Vec<IntCounter>,
}

#[expect(clippy::needless_pass_by_value, reason = "the factory's signature")]
fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    for option in config.deprecated() {
        tracing::warn!(connector = %context.id, option, "the option is deprecated and has no effect");
    }
    let levels = levels(context.section, &outputs, &config.priority_levels)?;
    let id = context.id.to_string();
    let failover = |level: usize| {
        let (name, help) =
            ("otelcol_connector_failover_count", "Number of times the connector failed from the respective level");
        context.telemetry.counter(name, help, &[("connector", &id), ("level", &(level + 1).to_string())])
    };
    let transport = Levels {
        id: context.id.clone(),
        failovers: (0..levels.len()).map(failover).collect(),
        levels,
        selector: Selector::new(config.retry_interval()),
        condition: config.condition.as_ref().cloned(),
    };
    let never = RetryOnFailure { enabled: false, ..RetryOnFailure::default() };
    Ok(Arc::new(Sending::new(&context, transport, config.sending_queue, never)))
}

/// A consumer a level. All pipelines behind the connector are of one signal: levels that fit one fit no other.
fn levels(
    section: &Section,
    outputs: &Outputs,
    ids: &[Vec<PipelineId>],
) -> Result<Vec<Arc<dyn Consumer>>, ConfigError> {
    let behind = outputs.pipelines.iter().flatten().map(|(id, _)| id.signal());
    let mut signals: Vec<PipelineSignal> = behind.chain(ids.iter().flatten().map(PipelineId::signal)).collect();
    signals.sort_unstable();
    signals.dedup();
    let mut levels = Vec::with_capacity(ids.len());
    for (at, level) in ids.iter().enumerate() {
        let path = format!("priority_levels[{at}]");
        if level.is_empty() {
            return Err(section.error(&path, "missing consumers"));
        }
        let mut consumer = None;
        for signal in &signals {
            let signal = match signal {
                PipelineSignal::Traces => Signal::Traces,
                PipelineSignal::Metrics => Signal::Metrics,
                PipelineSignal::Logs => Signal::Logs,
            };
            consumer = Some(outputs.to_pipelines(signal, level).map_err(|error| section.error(&path, error))?);
        }
        levels.extend(consumer);
    }
    Ok(levels)
}

// === impl Levels ===

impl Levels {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        if let Some(stable) = self.selector.due() {
            for (number, level) in self.levels.iter().enumerate().take(stable) {
                if level.consume(batch.clone()).await.is_ok() {
                    tracing::info!(connector = %self.id, level = number + 1, "a better level works again");
                    self.selector.recovered(number);
                    return Ok(());
                }
            }
        }
        loop {
            let number = self.selector.level();
            let Some(level) = self.levels.get(number) else {
                return Err(ConsumeError::retryable("All provided pipelines return errors"));
            };
            let Err(error) = level.consume(batch.clone()).await else { return Ok(()) };
            if self.condition.as_ref().is_some_and(|condition| !condition.are_met(&error)) {
                return Err(error);
            }
            if self.selector.failed(number) {
                tracing::warn!(connector = %self.id, level = number + 1, %error, "the level does not work, going on to the next");
                if let Some(count) = self.failovers.get(number) {
                    count.inc();
                }
            }
        }
    }
}

#[async_trait]
impl Transport for Levels {
    type Request = Batch;

    fn request(&self, batch: &Batch) -> Batch {
        batch.clone().freeze()
    }

    async fn send(&self, _signal: Signal, request: Batch) -> Result<Answer, SendError> {
        self.consume(request).await?;
        Ok(Answer::default())
    }
}
