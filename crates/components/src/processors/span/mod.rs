//! `span`: names spans by their attributes, takes attributes out of names, and sets the status.

mod config;
mod edits;
mod rule;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use super::selection::Selection;
use edits::Edits;

/// Makes `span` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "span", aliases: &[], stability: Stability::Alpha, signals: &[Signal::Traces] },
    create,
};

struct SpanProcessor {
    selection: Selection,
    edits: Edits,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (selection, edits) = config::read(context.section)?;
    Ok(Arc::new(SpanProcessor { selection, edits, next }))
}

// === impl SpanProcessor ===

#[async_trait]
impl Component for SpanProcessor {}

#[async_trait]
impl Consumer for SpanProcessor {
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

impl SpanProcessor {
    fn change(&self, traces: &mut Traces) {
        let mut editor = self.edits.editor();
        for ix in self.selection.of(traces) {
            if let Some(span) = traces.span(ix) {
                let patch = editor.edit(span.message());
                traces.apply(ix, patch);
            }
        }
    }
}
