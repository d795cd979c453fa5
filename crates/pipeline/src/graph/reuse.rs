use std::collections::BTreeSet;
use std::sync::Arc;

use spanmill_config::{ComponentId, Document, Kind as ComponentKind, Section};

use super::Graph;
use super::part::{Part, Wires};

/// What of a running graph another one may go on with.
pub(super) struct Reuse<'a> {
    running: Option<&'a Graph>,
    /// Extensions that are not the same in both: changed, added, or removed.
    changed: BTreeSet<ComponentId>,
}

// === impl Reuse ===

impl<'a> Reuse<'a> {
    pub(super) fn new(running: Option<&'a Graph>, document: &Document) -> Self {
        let mut reuse = Self { running, changed: BTreeSet::new() };
        let Some(running) = running else { return reuse };
        let wanted = &document.service.extensions;
        let old = running.extensions.iter().map(|part| &part.id);
        let all: BTreeSet<ComponentId> = old.chain(wanted).cloned().collect();
        // One that asked for another goes with it, so this is done until nothing more goes.
        loop {
            let stays = |id: &ComponentId| {
                let section = document.extensions.get(id).filter(|_| wanted.contains(id))?;
                reuse.find(ComponentKind::Extension, id, section, &Wires::default())
            };
            let changed: BTreeSet<_> = all.iter().filter(|id| stays(id).is_none()).cloned().collect();
            if changed == reuse.changed {
                return reuse;
            }
            reuse.changed = changed;
        }
    }

    /// The part that runs and is what would be made: of the same configuration and files, sending to the same parts, and having asked for
    /// extensions that stay.
    pub(super) fn find(
        &self,
        kind: ComponentKind,
        id: &ComponentId,
        section: &Section,
        wires: &Wires,
    ) -> Option<&'a Arc<Part>> {
        let same = |part: &&Arc<Part>| {
            part.is_made_of((kind, id, section), wires)
                && part.ties.is_running()
                && part.ties.asked().is_disjoint(&self.changed)
        };
        self.running?.parts().find(same)
    }
}
