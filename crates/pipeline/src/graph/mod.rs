//! Components wired into pipelines, and their life.
//!
//! # What stays when the configuration changes
//!
//! A graph is built from its far end: an exporter first, then what sends to it. Beside a running graph, a part of that one is taken instead
//! of a new one where nothing would be different:
//!
//! * its section is the same, wherever it stands in the file, and so are the files that it read ([`Component::files`]);
//! * it takes the same signals, and sends to the very same parts, in the same order and under the same names of pipelines. So a part stays
//!   only if all behind it stay, and a fan-out, which is no part of its own, is the same if all its targets are;
//! * the extensions that it asked for at its [`Host`](crate::Host) stay.
//!
//! An exporter does not know who sends to it: it stays whichever pipelines name it. A processor is one a pipeline, and stays for its
//! pipeline alone. With other `service::telemetry::metrics` that are counted elsewhere, nothing stays.
//!
//! # The order of a change
//!
//! 1. All is read and built. A mistake ends the change here.
//! 2. Parts that own something exclusively ([`Component::is_exclusive`]) and leave are stopped, if anything exclusive is to start; before
//!    them all that uses them, receivers first. Connections wait at the sockets meanwhile: see [`Listeners`](crate::Listeners).
//! 3. What is new starts, each part after all that it uses. Where an address is taken by a part that leaves (`localhost:4317` becomes
//!    `0.0.0.0:4317`), that part is stopped and this is done once more.
//! 4. What leaves is stopped: receivers finish requests, processors drain into what they sent to, exporters send what they have.
//! 5. Sockets that nobody uses any more are closed, and extensions hear that the configuration changed.
//!
//! What sends does not begin before all that is new has started ([`Host::all_started`](crate::Host::all_started)): a configuration that is
//! refused sends nothing anywhere. A part that is not done in time when it stops is given up ([`Component::abandon`]); what was lost by that
//! is told again when the service ends.
//!
//! When something does not start, what had started is stopped, what had been stopped in step 2 or 3 is built and started again, and
//! everything else never noticed.

mod build;
mod change;
mod counted;
mod fanout;
mod life;
mod part;
mod reuse;
mod unused;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, OnceLock};

use spanmill_config::{ConfigError, Document, Problem};

use crate::factory::Factories;
use crate::host::{Layout, Surroundings};
use crate::telemetry::Telemetry;

use part::Part;

pub(crate) use change::{Change, ChangeError};
pub(crate) use fanout::fan_out;
pub use life::{StartError, StopError};
pub(crate) use unused::Nowhere;

/// All components of a configuration, wired. Building touches nothing outside; `start` does.
#[derive(Default)]
pub struct Graph {
    extensions: Vec<Arc<Part>>,
    exporters: Vec<Arc<Part>>,
    /// Processors and connectors; each stands after everything that it sends to.
    between: Vec<Arc<Part>>,
    receivers: Vec<Arc<Part>>,
    warnings: Vec<String>,
    layout: Arc<Layout>,
    /// Where it runs, since it does.
    surroundings: OnceLock<Arc<Surroundings>>,
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
        Self::build_beside(None, document, factories, telemetry)
    }

    /// The same beside a graph that runs, of which it takes over what stays.
    pub(crate) fn build_beside(
        running: Option<&Self>,
        document: &Document,
        factories: &Factories,
        telemetry: &Telemetry,
    ) -> Result<Self, ConfigError> {
        document.validate(&factories.known_types())?;
        let mut problems = Vec::new();
        let mut graph = build::build(running, document, factories, telemetry, &mut problems);
        problems.extend(graph.collisions());
        graph.warnings.extend(unused::check(document, factories, &mut problems));
        ConfigError::all(problems)?;
        Ok(graph)
    }

    /// What the user should change, though it works.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All parts in the order in which they start.
    fn parts(&self) -> impl Iterator<Item = &Arc<Part>> {
        self.extensions.iter().chain(&self.exporters).chain(&self.between).chain(&self.receivers)
    }

    /// What two components claim. Each other pair is refused as well: one problem a component, at the later one.
    fn collisions(&self) -> Vec<Problem> {
        let mut owners: HashMap<String, &Arc<Part>> = HashMap::new();
        let mut problems = Vec::new();
        for part in self.parts() {
            let Some(claim) = part.component.claim() else { continue };
            match owners.entry(claim) {
                Entry::Vacant(free) => {
                    free.insert(part);
                }
                Entry::Occupied(taken) => {
                    let (claim, owner) = (taken.key(), taken.get());
                    let why = if owner.id == part.id { "it stands in several pipelines" } else { "rename one of them" };
                    let message = format!("{owner} and {part} would both have {claim}: {why}");
                    problems.push(part.section.problem("", message));
                }
            }
        }
        problems
    }

    fn has(&self, part: &Arc<Part>) -> bool {
        self.parts().any(|own| Arc::ptr_eq(own, part))
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |parts: &[Arc<Part>]| parts.iter().map(|part| part.id.to_string()).collect::<Vec<_>>();
        f.debug_struct("Graph")
            .field("extensions", &names(&self.extensions))
            .field("exporters", &names(&self.exporters))
            .field("between", &names(&self.between))
            .field("receivers", &names(&self.receivers))
            .finish_non_exhaustive()
    }
}
