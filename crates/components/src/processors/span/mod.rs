//! `span`: names spans by their attributes, takes attributes out of names, and sets the status.

mod config;
mod edits;
mod rule;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_otlp::Traces;
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::changing::{Change, changing};
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
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (selection, edits) = config::read(context.section)?;
    Ok(changing(SpanProcessor { selection, edits }, next))
}

// === impl SpanProcessor ===

impl Change for SpanProcessor {
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
