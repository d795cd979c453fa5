//! `filter`: drops spans, span events, log records, metrics, their points, and whole scopes and resources that meet a condition.

mod conditions;
mod config;
mod group;
mod kept;
mod records;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use prometheus::IntCounter;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_otlp::{Opaque, Traces};
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::ignored::Ignored;
use crate::records::{decode, encode};
use config::Rules;
use group::{Errors, Group};
use kept::Kept;

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
    let rules = config::read(context.section, signal)?;
    let id = context.id.clone();
    let (name, help) = match signal {
        Signal::Traces => {
            ("otelcol_processor_filter_spans_filtered", "Number of spans dropped by the filter processor")
        }
        Signal::Metrics => (
            "otelcol_processor_filter_datapoints_filtered",
            "Number of metric data points dropped by the filter processor",
        ),
        Signal::Logs => {
            ("otelcol_processor_filter_logs_filtered", "Number of log records dropped by the filter processor")
        }
    };
    let filtered = context.telemetry.counter(name, help, &[("filter", &id.to_string())]);
    Ok(Arc::new(FilterProcessor { id, rules, filtered, ignored: Ignored::default(), next }))
}

// === impl FilterProcessor ===

#[async_trait]
impl Component for FilterProcessor {}

#[async_trait]
impl Consumer for FilterProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let left = match batch {
            batch if self.rules.are_empty() => Some(batch),
            Batch::Traces(mut traces) => {
                self.filter(&mut traces)?;
                (traces.span_count() > 0).then_some(Batch::Traces(traces))
            }
            Batch::Opaque(opaque) => self.filter_records(&opaque)?.map(Batch::Opaque),
        };
        match left {
            Some(batch) => self.next.consume(batch).await,
            // Nothing is left to be responsible for.
            None => Ok(()),
        }
    }
}

impl FilterProcessor {
    fn filter(&self, traces: &mut Traces) -> Result<(), ConsumeError> {
        let before = traces.span_count();
        if let Some(Kept::Spans(kept)) = &self.rules.kept {
            kept.keep(traces);
        }
        let result = self.apply(|group, errors| group.apply(traces, errors));
        self.filtered.inc_by((before - traces.span_count()) as u64);
        result
    }

    /// What is left of log records or metrics, if anything.
    fn filter_records(&self, opaque: &Opaque) -> Result<Option<Opaque>, ConsumeError> {
        match opaque.signal() {
            Signal::Logs => {
                let mut logs: LogsData = decode(opaque)?;
                if let Some(kept) = &self.rules.kept {
                    kept.keep_logs(&mut logs);
                }
                let result = self.apply(|group, errors| group.apply_logs(&mut logs, errors));
                self.filtered.inc_by(opaque.item_count().saturating_sub(records::log_count(&logs)) as u64);
                result?;
                (!logs.resource_logs.is_empty()).then(|| encode(Signal::Logs, &logs)).transpose()
            }
            Signal::Metrics => {
                let mut metrics: MetricsData = decode(opaque)?;
                if let Some(kept) = &self.rules.kept {
                    kept.keep_metrics(&mut metrics);
                }
                let result = self.apply(|group, errors| group.apply_metrics(&mut metrics, errors));
                self.filtered.inc_by(opaque.item_count().saturating_sub(records::point_count(&metrics)) as u64);
                result?;
                (!metrics.resource_metrics.is_empty()).then(|| encode(Signal::Metrics, &metrics)).transpose()
            }
            Signal::Traces => Ok(Some(opaque.clone())),
        }
    }

    /// Applies the groups one after the other, and tells of what went wrong.
    fn apply(&self, mut apply: impl FnMut(&Group, &mut Errors)) -> Result<(), ConsumeError> {
        let mut errors = Errors::default();
        for group in &self.rules.groups {
            apply(group, &mut errors);
        }
        if let Some(error) = &errors.first {
            self.ignored.tell(&self.id, errors.ignored, error);
        }
        match errors.fatal {
            // The same items would fail in the same way: a retry cannot help.
            Some(error) => {
                tracing::error!(processor = %self.id, %error, "a request is refused");
                Err(ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
            }
            None => Ok(()),
        }
    }
}
