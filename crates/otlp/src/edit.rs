//! Edits made to a request: ropes of ranges that say what each edited part now consists of.

use std::ops::Range;

use crate::index::Span32;
use crate::patch::{Changes, Cut};

/// Ordinal of a resource in its request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceIx(pub(crate) u32);

/// Ordinal of a scope in its request, over all resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeIx(pub(crate) u32);

/// Ordinal of a span in its request, over all scopes. Dropping spans does not renumber the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanIx(pub(crate) u32);

/// What a patch is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The `Resource` message of a resource.
    Resource(ResourceIx),
    /// The `InstrumentationScope` message of a scope.
    Scope(ScopeIx),
    /// A span.
    Span(SpanIx),
}

/// A range of whole fields, in the request or, with [`ARENA`] set in both ends, in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Marks an offset as one into the arena. Requests and arenas are bounded to 31 bits.
pub(crate) const ARENA: u32 = 1 << 31;

/// What an edited part consists of: segments of the pool, and their length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rope {
    Untouched,
    Dropped,
    Edited { first: u32, count: u32, bytes: u32 },
}

/// All edits of a request. Attribute bytes go to one arena and segments to one pool, so that an edit allocates nothing
/// of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    pub(crate) arena: Vec<u8>,
    pub(crate) pool: Vec<Segment>,
    pub(crate) resources: Vec<Rope>,
    pub(crate) scopes: Vec<Rope>,
    pub(crate) spans: Vec<Rope>,
    /// Schema URLs given to scopes, as ranges of the arena; in ascending order of the scopes.
    pub(crate) schema_urls: Vec<(ScopeIx, Span32)>,
    /// The same of resources.
    pub(crate) resource_schema_urls: Vec<(ResourceIx, Span32)>,
    pub(crate) dropped_spans: usize,
}

// === impl ResourceIx ===

impl ResourceIx {
    /// The number, counted from zero.
    pub fn ordinal(self) -> u32 {
        self.0
    }
}

// === impl Target ===

impl From<ResourceIx> for Target {
    fn from(ix: ResourceIx) -> Self {
        Self::Resource(ix)
    }
}

impl From<ScopeIx> for Target {
    fn from(ix: ScopeIx) -> Self {
        Self::Scope(ix)
    }
}

impl From<SpanIx> for Target {
    fn from(ix: SpanIx) -> Self {
        Self::Span(ix)
    }
}

// === impl Edits ===

impl Edits {
    pub(crate) fn rope(&self, target: Target) -> Rope {
        let rope = match target {
            Target::Resource(ix) => self.resources.get(ix.0 as usize),
            Target::Scope(ix) => self.scopes.get(ix.0 as usize),
            Target::Span(ix) => self.spans.get(ix.0 as usize),
        };
        rope.copied().unwrap_or(Rope::Untouched)
    }

    pub(crate) fn set_rope(&mut self, target: Target, rope: Rope) {
        let (ropes, at) = match target {
            Target::Resource(ix) => (&mut self.resources, ix.0 as usize),
            Target::Scope(ix) => (&mut self.scopes, ix.0 as usize),
            Target::Span(ix) => (&mut self.spans, ix.0 as usize),
        };
        if ropes.len() <= at {
            ropes.resize(at + 1, Rope::Untouched);
        }
        if let Some(slot) = ropes.get_mut(at) {
            *slot = rope;
        }
    }

    pub(crate) fn segments(&self, first: u32, count: u32) -> &[Segment] {
        self.pool.get(first as usize..(first + count) as usize).unwrap_or(&[])
    }

    /// Applies changes to `target`, which consists of `original` where it was not edited before.
    pub(crate) fn apply(&mut self, target: Target, original: &[Span32], patch: Changes<'_>) {
        if patch.cuts.is_empty()
            && let (Rope::Untouched, [whole]) = (self.rope(target), original)
        {
            return self.append(target, *whole, patch.appended);
        }
        let old = match self.rope(target) {
            Rope::Dropped => return,
            Rope::Untouched => {
                let first = self.pool.len();
                self.pool.extend(original.iter().map(|&(start, end)| Segment { start, end }));
                first..self.pool.len()
            }
            Rope::Edited { first, count, .. } => first as usize..(first + count) as usize,
        };
        let arena_at = self.arena.len();
        // Offsets have 31 bits; a patch that would overflow them changes nothing. Requests are far smaller.
        if arena_at + patch.replacements.len() + patch.appended.len() >= ARENA as usize {
            return;
        }
        self.arena.extend_from_slice(patch.replacements);
        self.arena.extend_from_slice(patch.appended);
        let first = self.pool.len();
        for at in old {
            if let Some(&segment) = self.pool.get(at) {
                self.cut(segment, patch.cuts, arena_at);
            }
        }
        let appended_at = arena_at + patch.replacements.len();
        self.push(arena_segment(appended_at..appended_at + patch.appended.len()));
        let count = self.pool.len() - first;
        let bytes = self.segments(first as u32, count as u32).iter().map(|segment| segment.end - segment.start).sum();
        self.set_rope(target, Rope::Edited { first: first as u32, count: count as u32, bytes });
    }

    /// Appends fields to a target that was not edited before: what most edits are.
    fn append(&mut self, target: Target, (start, end): Span32, fields: &[u8]) {
        let Some((added, added_end)) = self.put(fields) else { return };
        let first = self.pool.len();
        self.push(Segment { start, end });
        self.push(Segment { start: added | ARENA, end: added_end | ARENA });
        let count = self.pool.len() - first;
        let bytes = end - start + fields.len() as u32;
        self.set_rope(target, Rope::Edited { first: first as u32, count: count as u32, bytes });
    }

    /// Makes `target` consist of one message.
    pub(crate) fn replace(&mut self, target: Target, message: &[u8]) {
        if self.rope(target) == Rope::Dropped {
            return;
        }
        let Some((start, end)) = self.put(message) else { return };
        let first = self.pool.len();
        self.push(Segment { start: start | ARENA, end: end | ARENA });
        let count = self.pool.len() - first;
        self.set_rope(target, Rope::Edited { first: first as u32, count: count as u32, bytes: message.len() as u32 });
    }

    /// Pushes what remains of `segment` after the cuts that lie in it, with their replacements.
    fn cut(&mut self, segment: Segment, cuts: &[Cut], arena_at: usize) {
        let mut rest = segment;
        let first = cuts.partition_point(|cut| cut.at.start < segment.start);
        for cut in cuts.iter().skip(first).take_while(|cut| cut.at.start < segment.end) {
            // Positions that are empty, overlap an earlier one or reach out of the segment are none that a view gave.
            if cut.at.start < rest.start || cut.at.end <= cut.at.start || cut.at.end > segment.end {
                continue;
            }
            self.push(Segment { start: rest.start, end: cut.at.start });
            self.push(arena_segment(arena_at + cut.with.start..arena_at + cut.with.end));
            rest.start = cut.at.end;
        }
        self.push(rest);
    }

    /// Adds a segment to the rope at the end of the pool.
    fn push(&mut self, segment: Segment) {
        if segment.start < segment.end {
            self.pool.push(segment);
        }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Option<Span32> {
        let start = self.arena.len();
        if start + bytes.len() >= ARENA as usize {
            return None;
        }
        self.arena.extend_from_slice(bytes);
        Some((start as u32, self.arena.len() as u32))
    }
}

fn arena_segment(range: Range<usize>) -> Segment {
    Segment { start: range.start as u32 | ARENA, end: range.end as u32 | ARENA }
}
