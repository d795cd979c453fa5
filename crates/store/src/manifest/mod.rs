//! What the store consists of: pieces, and the parts of the manifest that add and remove them.
//!
//! Every writer has a folder of its own, `manifest/<writer>/`, and writes numbered parts there; nobody needs a lock. A part is one small JSON
//! file, so it is there as a whole or not at all: what it adds becomes visible at once, together with how far the writer's log is stored. What a
//! reader sees is the sum of all parts of all writers.

mod part;
mod piece;
mod state;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path;
use thiserror::Error;

use crate::place::{Place, PlaceError};

pub(crate) use part::Part;
pub(crate) use piece::{FileStats, HOUR, Piece, PieceId, hour_of};
pub(crate) use state::State;

/// The manifest of a store.
#[derive(Debug)]
pub(crate) struct Manifest {
    place: Place,
    writer: String,
    /// Serialises commits and refreshes, which wait for the place.
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

/// All parts that were read or written, and what they add up to.
#[derive(Debug, Default)]
struct Known {
    parts: HashMap<String, BTreeMap<u64, Arc<Part>>>,
    state: Arc<State>,
}

/// The manifest could not be read or written.
#[derive(Debug, Error)]
pub(crate) enum ManifestError {
    /// The folder or object store failed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A part is not what this version writes.
    #[error("{path} is not a part of a manifest: {source}")]
    Part {
        /// Which one.
        path: Path,
        /// Why not.
        source: serde_json::Error,
    },
    /// A part was written by a later version.
    #[error("{path} has version {version}, which this version of spanmill does not know")]
    Version {
        /// Which one.
        path: Path,
        /// Its version.
        version: u32,
    },
}

/// Parts are listed again when one vanished while it was read.
const ATTEMPTS: usize = 5;

// === impl Manifest ===

impl Manifest {
    /// Reads all parts. `writer` is who [`Manifest::commit`] writes as.
    pub(crate) async fn open(place: Place, writer: String) -> Result<Self, ManifestError> {
        let manifest = Self { place, writer, turn: tokio::sync::Mutex::default(), known: Mutex::default() };
        manifest.refresh().await?;
        Ok(manifest)
    }

    /// What the store consists of, as far as is known.
    pub(crate) fn state(&self) -> Arc<State> {
        self.with_state(Arc::clone)
    }

    /// Looks at what the store consists of while nothing can be committed.
    pub(crate) fn with_state<R>(&self, look: impl FnOnce(&Arc<State>) -> R) -> R {
        look(&self.lock().state)
    }

    /// How far this writer's log is stored.
    pub(crate) fn through(&self) -> Option<u64> {
        self.lock().parts.get(&self.writer)?.values().rev().find_map(|part| part.through)
    }

    /// Looks for parts of other writers.
    pub(crate) async fn refresh(&self) -> Result<(), ManifestError> {
        let _turn = self.turn.lock().await;
        for _ in 1..ATTEMPTS {
            match self.read_new().await {
                Err(ManifestError::Place(error)) if error.is_not_found() => {}
                result => return result,
            }
        }
        self.read_new().await
    }

    /// Makes a change durable and visible. `on_commit` runs as the new state becomes visible, while nobody can look.
    pub(crate) async fn commit<R>(&self, change: Part, on_commit: impl FnOnce() -> R) -> Result<R, ManifestError> {
        let _turn = self.turn.lock().await;
        let seq =
            self.lock().parts.get(&self.writer).and_then(|parts| parts.keys().next_back()).map_or(0, |seq| seq + 1);
        self.place.put(&part::path(&self.writer, seq), change.encode()).await?;
        let mut known = self.lock();
        known.insert(&self.writer, seq, change);
        known.sum_up();
        Ok(on_commit())
    }

    /// Puts this writer's parts together into one once there are more than `most`.
    pub(crate) async fn condense(&self, most: usize) -> Result<(), ManifestError> {
        let _turn = self.turn.lock().await;
        let (old, seq, whole) = {
            let known = self.lock();
            let Some(parts) = known.parts.get(&self.writer).filter(|parts| parts.len() > most) else { return Ok(()) };
            let old: Vec<u64> = parts.keys().copied().collect();
            let seq = old.last().map_or(0, |seq| seq + 1);
            (old, seq, known.condensed(&self.writer))
        };
        self.place.put(&part::path(&self.writer, seq), whole.encode()).await?;
        {
            let mut known = self.lock();
            known.insert(&self.writer, seq, whole);
            known.sum_up();
        }
        for seq in old {
            self.place.delete(&part::path(&self.writer, seq)).await?;
        }
        Ok(())
    }

    async fn read_new(&self) -> Result<(), ManifestError> {
        let mut read = Vec::new();
        for path in self.place.list(&Path::from("manifest")).await? {
            let Some((writer, seq)) = part::parse_path(&path.location) else { continue };
            if !self.lock().knows(&writer, seq) {
                read.push((writer, seq, Part::decode(&path.location, &self.place.get(&path.location).await?)?));
            }
        }
        if !read.is_empty() {
            let mut known = self.lock();
            for (writer, seq, part) in read {
                known.insert(&writer, seq, part);
            }
            known.sum_up();
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    /// Whether a part was read, or is contained in one that was.
    fn knows(&self, writer: &str, seq: u64) -> bool {
        self.parts.get(writer).is_some_and(|parts| {
            parts.contains_key(&seq) || parts.first_key_value().is_some_and(|(first, part)| part.whole && seq < *first)
        })
    }

    fn insert(&mut self, writer: &str, seq: u64, part: Part) {
        let parts = self.parts.entry(writer.to_owned()).or_default();
        let whole = part.whole;
        if parts.first_key_value().is_some_and(|(first, part)| part.whole && seq < *first) {
            return;
        }
        parts.insert(seq, Arc::new(part));
        if whole {
            *parts = parts.split_off(&seq);
        }
    }

    fn sum_up(&mut self) {
        self.state = Arc::new(State::new(self.parts.values().flat_map(BTreeMap::values)));
    }

    /// One part that says what all parts of a writer say.
    fn condensed(&self, writer: &str) -> Part {
        let (mine, others): (Vec<_>, Vec<_>) = self.parts.iter().partition(|(name, _)| *name == writer);
        let added_by_others: std::collections::HashSet<&PieceId> = others
            .iter()
            .flat_map(|(_, parts)| parts.values())
            .flat_map(|part| &part.adds)
            .map(|piece| &piece.id)
            .collect();
        let mut whole = Part { whole: true, ..Part::default() };
        for part in mine.iter().flat_map(|(_, parts)| parts.values()) {
            whole.through = part.through.or(whole.through);
            whole.removes.extend(part.removes.iter().filter(|id| added_by_others.contains(id)).cloned());
            for piece in &part.adds {
                if self.state.get(&piece.id).is_some() {
                    let mut piece = Piece::clone(piece);
                    piece.replaces.retain(|id| added_by_others.contains(id));
                    whole.adds.push(Arc::new(piece));
                } else if piece.replaces.iter().any(|id| added_by_others.contains(id)) {
                    // Gone itself, but it goes on to replace pieces that others still list.
                    whole.removes.extend(piece.replaces.iter().filter(|id| added_by_others.contains(id)).cloned());
                }
            }
        }
        whole
    }
}
