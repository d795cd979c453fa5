use std::fmt;
use std::sync::Arc;

use spanmill_config::{ComponentId, Kind as ComponentKind, PipelineId, Section, Stamp};
use spanmill_otlp::Signal;

use crate::component::Component;
use crate::consume::Consumer;
use crate::host::Ties;

/// A component, what it is called, and what it was made of.
pub(crate) struct Part {
    pub(super) kind: ComponentKind,
    pub(super) id: ComponentId,
    pub(super) component: Arc<dyn Component>,
    /// What others send to; none of a receiver or an extension.
    pub(super) consumer: Option<Arc<dyn Consumer>>,
    pub(super) section: Section,
    pub(super) wires: Wires,
    pub(super) ties: Arc<Ties>,
    /// The files that it read.
    files: Vec<Stamp>,
}

/// How a component stands among others.
#[derive(Default)]
pub(super) struct Wires {
    /// The signals that it takes.
    pub(super) inputs: Vec<Signal>,
    /// The pipelines that it sends to, each with the parts that come first behind it. A processor names its own pipeline.
    pub(super) outputs: Vec<(PipelineId, Vec<Arc<Part>>)>,
}

/// A consumer, and the parts that it hands batches to.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) consumer: Arc<dyn Consumer>,
    pub(super) parts: Vec<Arc<Part>>,
}

// === impl Part ===

impl Part {
    pub(super) fn new(
        (kind, id, section): (ComponentKind, &ComponentId, &Section),
        component: Arc<dyn Component>,
        consumer: Option<Arc<dyn Consumer>>,
        wires: Wires,
    ) -> Arc<Self> {
        let files = component.files().iter().map(|file| Stamp::of(file)).collect();
        let (id, section, ties) = (id.clone(), section.clone(), Arc::default());
        Arc::new(Self { kind, id, component, consumer, section, wires, ties, files })
    }

    /// Whether the same would come out of this.
    pub(super) fn is_made_of(
        &self,
        (kind, id, section): (ComponentKind, &ComponentId, &Section),
        wires: &Wires,
    ) -> bool {
        let same = self.kind == kind && self.id == *id && self.section == *section && self.wires.are_like(wires);
        same && !self.files.iter().any(Stamp::is_outdated)
    }

    /// Whether it sends to that part, or asked for it.
    pub(super) fn uses(&self, other: &Arc<Self>) -> bool {
        let mut behind = self.wires.outputs.iter().flat_map(|(_, parts)| parts);
        behind.any(|part| Arc::ptr_eq(part, other))
            || (other.kind == ComponentKind::Extension && self.ties.asked().contains(&other.id))
    }

    /// What others send to.
    pub(super) fn link(self: &Arc<Self>) -> Option<Link> {
        Some(Link { consumer: self.consumer.clone()?, parts: vec![Arc::clone(self)] })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.id, self.kind)
    }
}

// === impl Wires ===

impl Wires {
    /// Whether they lead to the very same parts.
    fn are_like(&self, other: &Self) -> bool {
        let same = |left: &[Arc<Part>], right: &[Arc<Part>]| {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| Arc::ptr_eq(left, right))
        };
        let mut pairs = self.outputs.iter().zip(&other.outputs);
        self.inputs == other.inputs
            && self.outputs.len() == other.outputs.len()
            && pairs.all(|(left, right)| left.0 == right.0 && same(&left.1, &right.1))
    }
}
