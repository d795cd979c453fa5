//! `filter`: drops spans, span events, and whole scopes and resources that meet a condition.

mod config;
mod group;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::ignored::Ignored;
use super::pass_through::PassThrough;
use config::Rules;
use group::Errors;

/// Makes `filter` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "filter",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct FilterProcessor {
    id: ComponentId,
    rules: Rules,
    filtered: IntCounter,
    ignored: Ignored,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    match signal {
        Signal::Traces => {}
        Signal::Metrics => {
            config::refuse_conditions(context.section, ["metric_conditions", "metrics"])?;
            return Ok(Arc::new(PassThrough::new(next)));
        }
        Signal::Logs => {
            config::refuse_conditions(context.section, ["log_conditions", "logs"])?;
            return Ok(Arc::new(PassThrough::new(next)));
        }
    }
    let rules = config::read(context.section)?;
    let id = context.id.clone();
    let filtered = context.telemetry.counter(
        "otelcol_processor_filter_spans_filtered",
        "Number of spans dropped by the filter processor",
        &[("filter", &id.to_string())],
    );
    Ok(Arc::new(FilterProcessor { id, rules, filtered, ignored: Ignored::default(), next }))
}

// === impl FilterProcessor ===

#[async_trait]
impl Component for FilterProcessor {}

#[async_trait]
impl Consumer for FilterProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) if !self.rules.are_empty() => {
                self.filter(&mut traces)?;
                if traces.span_count() == 0 {
                    // Nothing is left to be responsible for.
                    return Ok(());
                }
                Batch::Traces(traces)
            }
            other => other,
        };
        self.next.consume(batch).await
    }
}

impl FilterProcessor {
    fn filter(&self, traces: &mut Traces) -> Result<(), ConsumeError> {
        let before = traces.span_count();
        let mut errors = Errors::default();
        if let Some(kept) = &self.rules.kept {
            kept.keep(traces);
        }
        for group in &self.rules.groups {
            group.apply(traces, &mut errors);
        }
        self.filtered.inc_by((before - traces.span_count()) as u64);
        if let Some(error) = &errors.first {
            self.ignored.tell(&self.id, errors.ignored, error);
        }
        match errors.fatal {
            // The same spans would fail in the same way: a retry cannot help.
            Some(error) => {
                tracing::error!(processor = %self.id, %error, "a request is refused");
                Err(ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
            }
            None => Ok(()),
        }
    }
}
