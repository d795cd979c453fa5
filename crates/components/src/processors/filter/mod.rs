//! `filter`: drops spans, span events, and whole scopes and resources that meet a condition.

mod config;
mod group;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use group::{Errors, Group};

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

/// Least time between two log lines about conditions that cannot be evaluated: a condition that fails does so for most spans.
const QUIET: Duration = Duration::from_secs(10);

struct FilterProcessor {
    id: ComponentId,
    groups: Vec<Group>,
    filtered: IntCounter,
    ignored: Mutex<Ignored>,
    next: Arc<dyn Consumer>,
}

/// Errors that were ignored and not yet told of.
#[derive(Default)]
struct Ignored {
    untold: u64,
    last: Option<Instant>,
}

/// Passes metrics or logs on as they are.
struct PassThrough {
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    match signal {
        Signal::Traces => {}
        Signal::Metrics => {
            config::refuse_conditions(context.section, ["metric_conditions", "metrics"])?;
            return Ok(Arc::new(PassThrough { next }));
        }
        Signal::Logs => {
            config::refuse_conditions(context.section, ["log_conditions", "logs"])?;
            return Ok(Arc::new(PassThrough { next }));
        }
    }
    let groups = config::read(context.section)?;
    let id = context.id.clone();
    let filtered = context.telemetry.counter(
        "otelcol_processor_filter_spans_filtered",
        "Number of spans dropped by the filter processor",
        &[("filter", &id.to_string())],
    );
    Ok(Arc::new(FilterProcessor { id, groups, filtered, ignored: Mutex::default(), next }))
}

// === impl FilterProcessor ===

#[async_trait]
impl Component for FilterProcessor {}

#[async_trait]
impl Consumer for FilterProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) if !self.groups.is_empty() => {
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
        for group in &self.groups {
            group.apply(traces, &mut errors);
        }
        self.filtered.inc_by((before - traces.span_count()) as u64);
        self.tell(&errors);
        match errors.fatal {
            // The same spans would fail in the same way: a retry cannot help.
            Some(error) => {
                tracing::error!(processor = %self.id, %error, "a request is refused");
                Err(ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
            }
            None => Ok(()),
        }
    }

    /// Logs ignored errors, now and then.
    fn tell(&self, errors: &Errors) {
        let Some(error) = &errors.first else { return };
        let mut ignored = self.ignored.lock().unwrap_or_else(PoisonError::into_inner);
        ignored.untold += errors.ignored;
        if ignored.last.is_some_and(|last| last.elapsed() < QUIET) {
            return;
        }
        ignored.last = Some(Instant::now());
        let count = std::mem::take(&mut ignored.untold);
        tracing::warn!(processor = %self.id, count, %error, "conditions could not be evaluated and were passed over");
    }
}

// === impl PassThrough ===

#[async_trait]
impl Component for PassThrough {}

#[async_trait]
impl Consumer for PassThrough {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.next.consume(batch).await
    }
}
