//! `attributes`: changes the attributes of spans.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_otlp::{Part, Traces};
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::actions::Actions;
use super::selection::Selection;

/// Makes `attributes` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "attributes",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct AttributesProcessor {
    selection: Selection,
    actions: Actions,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (selection, actions) = config::read(context.section, signal)?;
    Ok(Arc::new(AttributesProcessor { selection, actions, next }))
}

// === impl AttributesProcessor ===

#[async_trait]
impl Component for AttributesProcessor {}

#[async_trait]
impl Consumer for AttributesProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.change(&mut traces);
                Batch::Traces(traces)
            }
            other => other,
        };
        self.next.consume(batch).await
    }
}

impl AttributesProcessor {
    fn change(&self, traces: &mut Traces) {
        let mut editor = self.actions.editor(Part::Span);
        for ix in self.selection.of(traces) {
            if let Some(span) = traces.span(ix) {
                let patch = editor.edit(span.message());
                traces.apply(ix, patch);
            }
        }
    }
}
