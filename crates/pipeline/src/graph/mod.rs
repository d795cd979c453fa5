//! Components wired into pipelines, and their life.

mod build;
mod counted;
mod fanout;
mod life;
mod unused;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use spanmill_config::{ComponentId, ConfigError, Document, Kind as ComponentKind};

use crate::component::Component;
use crate::factory::Factories;
use crate::host::Layout;
use crate::telemetry::Telemetry;

pub(crate) use fanout::fan_out;
pub use life::{StartError, StopError};
pub(crate) use unused::Nowhere;

/// All components of a configuration, wired. Building touches nothing outside; `start` does.
#[derive(Default)]
pub struct Graph {
    extensions: Vec<Part>,
    exporters: Vec<Part>,
    /// Processors and connectors; each stands after everything that it sends to.
    between: Vec<Part>,
    receivers: Vec<Part>,
    warnings: Vec<String>,
    layout: Arc<Layout>,
}

/// A component and what it is called.
pub(crate) struct Part {
    kind: ComponentKind,
    id: ComponentId,
    component: Arc<dyn Component>,
}

// === impl Graph ===

impl Graph {
    /// Validates a configuration and builds it. All problems are gathered, not the first one only.
    ///
    /// # Errors
    ///
    /// Fails on what [`Document::validate`] refuses, on components that are wrongly configured, used or not, and on components in
    /// pipelines of a signal that they do not support.
    pub fn build(document: &Document, factories: &Factories, telemetry: &Telemetry) -> Result<Self, ConfigError> {
        document.validate(&factories.known_types())?;
        let mut problems = Vec::new();
        let mut graph = build::build(document, factories, telemetry, &mut problems);
        graph.warnings.extend(unused::check(document, factories, &mut problems));
        ConfigError::all(problems)?;
        Ok(graph)
    }

    /// What the user should change, though it works.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |parts: &[Part]| parts.iter().map(|part| part.id.to_string()).collect::<Vec<_>>();
        f.debug_struct("Graph")
            .field("extensions", &names(&self.extensions))
            .field("exporters", &names(&self.exporters))
            .field("between", &names(&self.between))
            .field("receivers", &names(&self.receivers))
            .finish_non_exhaustive()
    }
}

// === impl Part ===

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.id, self.kind)
    }
}
