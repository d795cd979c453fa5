//! `attributes`: changes the attributes of spans.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_otlp::{Part, Traces};
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::actions::Actions;
use super::changing::{Change, changing};
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
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (selection, actions) = config::read(context.section, signal)?;
    Ok(changing(AttributesProcessor { selection, actions }, next))
}

// === impl AttributesProcessor ===

impl Change for AttributesProcessor {
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
