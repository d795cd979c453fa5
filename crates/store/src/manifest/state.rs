//! What all parts add up to.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::part::Part;
use super::piece::{Piece, PieceId};

/// The pieces that make the store.
#[derive(Debug, Default)]
pub(crate) struct State {
    live: BTreeMap<PieceId, Arc<Piece>>,
}

// === impl State ===

impl State {
    pub(super) fn new<'a>(parts: impl Iterator<Item = &'a Arc<Part>>) -> Self {
        let mut live = BTreeMap::new();
        let mut removed: HashSet<&PieceId> = HashSet::new();
        for part in parts {
            live.extend(part.adds.iter().map(|piece| (piece.id.clone(), Arc::clone(piece))));
            removed.extend(&part.removes);
        }
        // Of two pieces that replace the same one, which a lease should prevent, the first counts and the other is void: its rows are still in
        // what it would have replaced.
        let mut void = Vec::new();
        let mut replaced: HashSet<PieceId> = HashSet::new();
        for piece in live.values() {
            if piece.replaces.iter().any(|id| replaced.contains(id)) {
                void.push(piece.id.clone());
            } else {
                replaced.extend(piece.replaces.iter().cloned());
            }
        }
        live.retain(|id, _| !removed.contains(id) && !replaced.contains(id) && !void.contains(id));
        Self { live }
    }

    /// All pieces, oldest first.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Arc<Piece>> {
        self.live.values()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Piece>> {
        self.live.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(id: &str, replaces: &[&str]) -> Arc<Piece> {
        Arc::new(Piece { id: id.into(), replaces: replaces.iter().map(|id| (*id).into()).collect(), ..Piece::new(0) })
    }

    fn live(parts: &[Part]) -> Vec<String> {
        let parts: Vec<_> = parts.iter().cloned().map(Arc::new).collect();
        State::new(parts.iter()).pieces().map(|piece| piece.id.clone()).collect()
    }

    /// Scenario: pieces are added, put together, and removed.
    /// Guarantees: each row is in one live piece.
    #[test]
    fn parts_add_up() {
        let added = Part { adds: vec![piece("1", &[]), piece("2", &[]), piece("3", &[])], ..Part::default() };
        let compacted = Part { adds: vec![piece("4", &["1", "2"])], ..Part::default() };
        let retired = Part { removes: vec!["3".into()], ..Part::default() };
        assert_eq!(live(&[added.clone(), compacted.clone()]), ["3", "4"]);
        assert_eq!(live(&[retired, compacted, added]), ["4"]);
    }

    /// Scenario: two compactions took the same piece, since a lease was lost.
    /// Guarantees: one of them counts, whatever order they are read in, and no row is lost or doubled.
    #[test]
    fn overlapping_compactions() {
        let added = Part { adds: vec![piece("1", &[]), piece("2", &[]), piece("3", &[])], ..Part::default() };
        let first = Part { adds: vec![piece("4", &["1", "2"])], ..Part::default() };
        let second = Part { adds: vec![piece("5", &["2", "3"])], ..Part::default() };
        assert_eq!(live(&[added.clone(), first.clone(), second.clone()]), ["3", "4"]);
        assert_eq!(live(&[second, first, added]), ["3", "4"]);
    }
}
