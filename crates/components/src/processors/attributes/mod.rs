//! `attributes`: changes the attributes of spans, log records and metric points.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_otlp::{Malformed, Opaque, Part, Traces};
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::actions::Actions;
use super::changing::{Change, changing};
use super::selection::{ItemSelection, Selection};
use config::Selected;

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

/// Changes spans.
struct OfSpans {
    selection: Selection,
    actions: Actions,
}

/// Changes log records or metric points.
struct OfItems {
    selection: ItemSelection,
    actions: Actions,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (selected, actions) = config::read(context.section, signal)?;
    Ok(match selected {
        Selected::Spans(selection) => changing(OfSpans { selection: *selection, actions }, next),
        Selected::Items(selection) => {
            if selection.ignores_resources() {
                tracing::warn!(processor = %context.id, "metrics are chosen by metric_names alone, as in the Collector: resources is ignored");
            }
            changing(OfItems { selection, actions }, next)
        }
    })
}

// === impl OfSpans ===

impl Change for OfSpans {
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

// === impl OfItems ===

impl Change for OfItems {
    fn change(&self, _: &mut Traces) {}

    fn revise(&self, opaque: Opaque) -> Result<Opaque, Malformed> {
        let mut editors =
            self.selection.parts().iter().map(|part| (*part, self.actions.editor(*part))).collect::<Vec<_>>();
        opaque.revise_items(|item| {
            let (_, editor) = editors.iter_mut().find(|(part, _)| *part == item.part)?;
            self.selection.includes(item).then(|| editor.edit(item.message).revised(item.message))?
        })
    }
}
