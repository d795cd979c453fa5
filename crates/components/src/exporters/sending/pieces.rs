//! A batch that a backend may take in pieces only.

use spanmill_otlp::SplitLimit;
use spanmill_pipeline::Batch;

use super::sizes::Sizes;

/// What of a batch is still to be sent, and what is too large.
pub(super) struct Pieces<'a> {
    sizes: &'a Sizes,
    /// No piece has more bytes, unless it is a single item.
    limit: usize,
    /// The next one is the last.
    waiting: Vec<Batch>,
    /// A smaller limit is being tried.
    shrunk: bool,
    /// What the backend did not take although it cannot be made smaller.
    refused: Vec<Batch>,
    /// How many of those came in a row, and the smallest.
    in_a_row: usize,
    smallest: usize,
}

/// A backend that refuses a few items in a row, the smallest of them so small, does not mean their size: the rest is not tried.
const FEW: usize = 4;
const SMALL: usize = 64 << 10;

/// Nor if it refuses so many in a row, however large they are.
const MANY: usize = 64;

// === impl Pieces ===

impl<'a> Pieces<'a> {
    pub(super) fn new(batch: Batch, sizes: &'a Sizes) -> Self {
        let limit = sizes.limit();
        let waiting = in_pieces(batch, limit);
        Self { sizes, limit, waiting, shrunk: false, refused: Vec::new(), in_a_row: 0, smallest: usize::MAX }
    }

    pub(super) fn next(&mut self) -> Option<Batch> {
        let piece = self.waiting.pop()?;
        if piece.encoded_len() <= self.limit {
            return Some(piece);
        }
        // It was made before a smaller limit was known.
        self.waiting.extend(in_pieces(piece, self.limit));
        self.waiting.pop()
    }

    /// The backend has taken a piece of so many bytes.
    pub(super) fn taken(&mut self, bytes: usize) {
        self.in_a_row = 0;
        self.smallest = usize::MAX;
        if std::mem::take(&mut self.shrunk) {
            self.sizes.helped(self.limit);
            return;
        }
        let limit = self.sizes.taken(bytes);
        if limit > self.limit && self.waiting.len() > 1 {
            self.waiting.reverse();
            let waiting = join(std::mem::take(&mut self.waiting));
            self.waiting = waiting.into_iter().rev().flat_map(|batch| in_pieces(batch, limit)).collect();
        }
        self.limit = limit;
    }

    /// The backend found a piece too large. Tells whether smaller ones are sent instead.
    pub(super) fn too_large(&mut self, piece: Batch) -> bool {
        let bytes = piece.encoded_len();
        let limit = self.limit.min(self.sizes.refused(bytes));
        if piece.item_count() > 1 {
            let parts = in_pieces(piece.clone(), limit);
            // Headers that outweigh the items stay together with them.
            if parts.len() > 1 {
                self.limit = limit;
                self.shrunk = true;
                self.waiting.extend(parts);
                return true;
            }
        }
        self.refused.push(piece);
        self.in_a_row += 1;
        self.smallest = self.smallest.min(bytes);
        if self.in_a_row >= MANY || (self.in_a_row >= FEW && self.smallest < SMALL) {
            self.refused.extend(self.waiting.drain(..).rev());
        }
        false
    }

    /// All that was too large, as one where that can be.
    pub(super) fn refused(self) -> Vec<Batch> {
        join(self.refused)
    }
}

/// The batch as requests of at most so many bytes, the first one last. An item that is larger stands alone.
fn in_pieces(batch: Batch, largest: usize) -> Vec<Batch> {
    if batch.encoded_len() <= largest {
        return vec![batch];
    }
    let mut pieces = batch.split(SplitLimit::Bytes(largest.max(1)));
    pieces.reverse();
    pieces
}

/// Batches of one signal as one. Only beyond 2 GiB can they not be joined, and stay as they are.
pub(super) fn join(parts: Vec<Batch>) -> Vec<Batch> {
    let Some(signal) = parts.first().map(Batch::signal) else { return parts };
    Batch::concat(signal, parts.iter().cloned()).map_or(parts, |one| vec![one])
}
