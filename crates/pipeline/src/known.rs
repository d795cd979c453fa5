//! What the tables of factories know.

use spanmill_config::{Kind as ComponentKind, KnownTypes, Signal as ConfigSignal};
use spanmill_otlp::Signal;

use crate::factory::{Factories, Kind};

// === impl Factories ===

impl Factories {
    /// All types, for validating a configuration.
    pub fn known_types(&self) -> KnownTypes {
        let kinds =
            [ComponentKind::Receiver, ComponentKind::Processor, ComponentKind::Exporter, ComponentKind::Extension];
        let plain = kinds.into_iter().flat_map(|kind| self.kinds(kind).map(move |known| (kind, known)));
        let known = plain.fold(KnownTypes::new(), |known, (kind, one)| known.with(kind, one.name, one.aliases));
        self.connectors
            .iter()
            .fold(known, |known, one| known.with_connector(one.kind.name, one.kind.aliases, one.connects))
    }

    /// The types of a kind of component, in the order of the table.
    pub fn kinds(&self, kind: ComponentKind) -> impl Iterator<Item = &'static Kind> + use<> {
        let kinds: Vec<&'static Kind> = match kind {
            ComponentKind::Receiver => self.receivers.iter().map(|factory| &factory.kind).collect(),
            ComponentKind::Processor => self.processors.iter().map(|factory| &factory.kind).collect(),
            ComponentKind::Exporter => self.exporters.iter().map(|factory| &factory.kind).collect(),
            ComponentKind::Connector => self.connectors.iter().map(|factory| &factory.kind).collect(),
            ComponentKind::Extension => self.extensions.iter().map(|factory| &factory.kind).collect(),
        };
        kinds.into_iter()
    }
}

// === impl Kind ===

impl Kind {
    /// Whether a type as written in a configuration means this one.
    pub fn is_called(&self, type_name: &str) -> bool {
        self.name == type_name || self.aliases.contains(&type_name)
    }
}

/// The signal of a pipeline.
pub(crate) fn signal_of(signal: ConfigSignal) -> Signal {
    match signal {
        ConfigSignal::Traces => Signal::Traces,
        ConfigSignal::Metrics => Signal::Metrics,
        ConfigSignal::Logs => Signal::Logs,
    }
}
