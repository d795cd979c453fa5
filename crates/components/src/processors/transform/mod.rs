//! `transform`: changes spans, span events, log records, metrics, their points, scopes and resources by OTTL statements.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_otlp::{Opaque, Traces};
use spanmill_ottl::{ClientInfo, EvalError, Sequence, SharedCache, StatementError};
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::ignored::Ignored;
use super::pass_through::PassThrough;
use crate::client;
use crate::records::{decode, encode};

/// Makes `transform` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "transform",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct TransformProcessor {
    id: ComponentId,
    groups: Vec<Group>,
    ignored: Ignored,
    next: Arc<dyn Consumer>,
}

/// Statements that belong together.
#[derive(Debug)]
struct Group {
    sequence: Sequence,
    /// The cache that it shares with groups of the same context.
    shared: Option<Arc<SharedCache>>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let groups = config::read(context.section, signal)?;
    if groups.is_empty() {
        return Ok(Arc::new(PassThrough::new(next)));
    }
    let id = context.id.clone();
    for statement in groups.iter().flat_map(|group| group.sequence.astray()) {
        tracing::warn!(
            processor = %id, %statement,
            "this statement does not run for spans without events: another one of the same list names spanevent, which makes \
             it the context of all. Put them into two groups, each with its statements."
        );
    }
    Ok(Arc::new(TransformProcessor { id, groups, ignored: Ignored::default(), next }))
}

// === impl TransformProcessor ===

#[async_trait]
impl Component for TransformProcessor {}

#[async_trait]
impl Consumer for TransformProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.transform(&mut traces)?;
                Batch::Traces(traces)
            }
            Batch::Opaque(opaque) => Batch::Opaque(self.transform_records(&opaque)?),
        };
        self.next.consume(batch).await
    }
}

/// What statements of a group run with: the client, the cache that they share, and who is told of errors.
type Apply<'f> =
    &'f mut dyn FnMut(&Group, Option<&ClientInfo>, &mut dyn FnMut(&Arc<str>, &EvalError)) -> Result<(), StatementError>;

impl TransformProcessor {
    fn transform(&self, traces: &mut Traces) -> Result<(), ConsumeError> {
        self.apply(&mut |group, client, ignored| group.sequence.apply(traces, client, group.shared.as_deref(), ignored))
    }

    fn transform_records(&self, opaque: &Opaque) -> Result<Opaque, ConsumeError> {
        match opaque.signal() {
            Signal::Logs => {
                let mut logs: LogsData = decode(opaque)?;
                self.apply(&mut |group, client, ignored| {
                    group.sequence.apply_logs(&mut logs, client, group.shared.as_deref(), ignored)
                })?;
                encode(Signal::Logs, &logs)
            }
            Signal::Metrics => {
                let mut metrics: MetricsData = decode(opaque)?;
                self.apply(&mut |group, client, ignored| {
                    group.sequence.apply_metrics(&mut metrics, client, group.shared.as_deref(), ignored)
                })?;
                encode(Signal::Metrics, &metrics)
            }
            Signal::Traces => Ok(opaque.clone()),
        }
    }

    /// Applies the groups one after the other, up to the first error that is not to be passed over.
    fn apply(&self, apply: Apply<'_>) -> Result<(), ConsumeError> {
        let (mut count, mut first) = (0_u64, None);
        let mut ignored = |statement: &Arc<str>, error: &EvalError| {
            count += 1;
            first.get_or_insert_with(|| format!("{statement:?}: {error}"));
        };
        let client = self.groups.iter().any(|group| group.sequence.reads_client()).then(client::info);
        let failed = self.groups.iter().find_map(|group| apply(group, client.as_ref(), &mut ignored).err());
        if let Some(first) = first {
            self.ignored.tell(&self.id, count, &first);
        }
        match failed {
            // The same items would fail in the same way: a retry cannot help.
            Some(error) => {
                tracing::error!(processor = %self.id, %error, "a request is refused");
                Err(ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
            }
            None => Ok(()),
        }
    }
}
