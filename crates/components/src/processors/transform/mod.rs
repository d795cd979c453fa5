//! `transform`: changes spans, span events, scopes and resources by OTTL statements.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::{ComponentId, ConfigError};
use spanmill_otlp::Traces;
use spanmill_ottl::{EvalError, Sequence, SharedCache};
use spanmill_pipeline::{
    Batch, Code, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::ignored::Ignored;
use super::pass_through::PassThrough;
use crate::client;

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
    let groups = config::read(context.section)?;
    match signal {
        Signal::Traces => {}
        Signal::Metrics => {
            config::refuse(context.section, "metric_statements")?;
            return Ok(Arc::new(PassThrough::new(next)));
        }
        Signal::Logs => {
            config::refuse(context.section, "log_statements")?;
            return Ok(Arc::new(PassThrough::new(next)));
        }
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
            other => other,
        };
        self.next.consume(batch).await
    }
}

impl TransformProcessor {
    fn transform(&self, traces: &mut Traces) -> Result<(), ConsumeError> {
        let (mut count, mut first) = (0_u64, None);
        let mut ignored = |statement: &Arc<str>, error: &EvalError| {
            count += 1;
            first.get_or_insert_with(|| format!("{statement:?}: {error}"));
        };
        let client = self.groups.iter().any(|group| group.sequence.reads_client()).then(client::info);
        let mut failed = None;
        for group in &self.groups {
            if let Err(error) = group.sequence.apply(traces, client.as_ref(), group.shared.as_deref(), &mut ignored) {
                failed = Some(error);
                break;
            }
        }
        if let Some(first) = first {
            self.ignored.tell(&self.id, count, &first);
        }
        match failed {
            // The same spans would fail in the same way: a retry cannot help.
            Some(error) => {
                tracing::error!(processor = %self.id, %error, "a request is refused");
                Err(ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
            }
            None => Ok(()),
        }
    }
}
