//! Which types of components there are.

use crate::{ComponentId, Kind, Signal};

/// One type of component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownType {
    /// The type, as it is written in configurations.
    pub name: &'static str,
    /// Other accepted spellings.
    pub aliases: &'static [&'static str],
    /// For connectors: which signal it takes and which it gives. Empty for all other kinds.
    pub connects: &'static [(Signal, Signal)],
}

/// All types that a configuration may use.
#[derive(Clone, Debug, Default)]
pub struct KnownTypes {
    types: Vec<(Kind, KnownType)>,
}

// === impl KnownTypes ===

impl KnownTypes {
    /// No types at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a type that is no connector.
    #[must_use]
    pub fn with(mut self, kind: Kind, name: &'static str, aliases: &'static [&'static str]) -> Self {
        self.types.push((kind, KnownType { name, aliases, connects: &[] }));
        self
    }

    /// Adds a connector that takes and gives these signals.
    #[must_use]
    pub fn with_connector(
        mut self,
        name: &'static str,
        aliases: &'static [&'static str],
        connects: &'static [(Signal, Signal)],
    ) -> Self {
        self.types.push((Kind::Connector, KnownType { name, aliases, connects }));
        self
    }

    /// The type of a component, whichever spelling its id has.
    pub fn find(&self, kind: Kind, id: &ComponentId) -> Option<&KnownType> {
        self.of(kind).find(|known| known.name == id.type_name() || known.aliases.contains(&id.type_name()))
    }

    /// The types of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &KnownType> {
        self.types.iter().filter(move |(other, _)| *other == kind).map(|(_, known)| known)
    }

    /// The names of a kind's types, sorted, without aliases.
    pub fn names(&self, kind: Kind) -> Vec<&'static str> {
        let mut names: Vec<_> = self.of(kind).map(|known| known.name).collect();
        names.sort_unstable();
        names
    }
}
