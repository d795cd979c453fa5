//! `resource`: changes the attributes of resources.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_otlp::{Malformed, Opaque, Part, ResourceIx, Traces};
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::actions::Actions;
use super::changing::{Change, changing};

/// Makes `resource` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "resource",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct ResourceProcessor {
    actions: Actions,
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let actions = config::read(context.section)?;
    Ok(changing(ResourceProcessor { actions }, next))
}

// === impl ResourceProcessor ===

impl Change for ResourceProcessor {
    fn change(&self, traces: &mut Traces) {
        let mut editor = self.actions.editor(Part::Resource);
        let resources: Vec<ResourceIx> = traces.resources().map(|resource| resource.ix()).collect();
        for ix in resources {
            if let Some(resource) = traces.resource(ix) {
                let patch = editor.edit(resource.message());
                traces.apply(ix, patch);
            }
        }
    }

    fn revise(&self, opaque: Opaque) -> Result<Opaque, Malformed> {
        let mut editor = self.actions.editor(Part::Resource);
        opaque.revise_resources(|resource| editor.edit(resource).revised(resource))
    }
}
