//! What is known about traces: those that wait, those decided on, and decisions of which nothing but the id is left.

use std::num::NonZeroUsize;

use bytes::Bytes;
use lru::LruCache;
use tokio::time::Instant;

use super::grouping::TraceId;
use super::policy::Candidate;

/// A decision on a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Sampled,
    NotSampled,
    /// Not sampled because a policy dropped it.
    Dropped,
}

/// A trace that waits for its decision.
#[derive(Debug)]
pub(super) struct Pending {
    /// An encoded request.
    bytes: Vec<u8>,
    pub(super) spans: u64,
    /// Its size as the Collector counts it, without what joins resources to a request, and with it.
    pub(super) size: u64,
    pub(super) request_size: u64,
    pub(super) arrived: Instant,
    /// The tick at which it is decided on.
    pub(super) tick: u64,
}

/// A trace that was decided on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided {
    pub(super) decision: Decision,
    pub(super) arrived: Instant,
    /// None where it was dropped for its size.
    pub(super) at: Option<Instant>,
}

/// Traces in memory. In order of arrival, or of decision.
#[derive(Debug)]
pub(super) struct Traces {
    pending: LruCache<TraceId, Pending, ahash::RandomState>,
    decided: LruCache<TraceId, Decided, ahash::RandomState>,
    bytes: u64,
}

/// Decisions of traces that are no longer in memory, the most recently used ones of each kind.
#[derive(Debug)]
pub(super) struct Decisions {
    sampled: Option<Ids>,
    not_sampled: Option<Ids>,
}

type Ids = LruCache<TraceId, (), ahash::RandomState>;

/// What a trace takes beside its spans, roughly.
const OVERHEAD: u64 = 256;

// === impl Decision ===

impl Decision {
    /// The label `decision`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sampled => "sampled",
            Self::NotSampled => "not_sampled",
            Self::Dropped => "dropped",
        }
    }
}

// === impl Pending ===

impl Pending {
    /// A trace of which nothing came in yet.
    pub(super) fn new(tick: u64) -> Self {
        Self { bytes: Vec::new(), spans: 0, size: 0, request_size: 0, arrived: Instant::now(), tick }
    }

    pub(super) fn into_candidate(self, id: TraceId) -> Candidate {
        Candidate::new(id, self.spans, self.request_size, self.bytes.into())
    }
}

// === impl Traces ===

impl Traces {
    pub(super) fn new() -> Self {
        let (pending, decided) = Default::default();
        Self {
            pending: LruCache::unbounded_with_hasher(pending),
            decided: LruCache::unbounded_with_hasher(decided),
            bytes: 0,
        }
    }

    /// How many there are, decided or not.
    pub(super) fn len(&self) -> u64 {
        (self.pending.len() + self.decided.len()) as u64
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.len() * OVERHEAD
    }

    pub(super) fn decided(&self, id: &TraceId) -> Option<Decided> {
        self.decided.peek(id).copied()
    }

    pub(super) fn pending(&mut self, id: &TraceId) -> Option<&mut Pending> {
        self.pending.peek_mut(id)
    }

    pub(super) fn insert(&mut self, id: TraceId, pending: Pending) {
        self.pending.push(id, pending);
    }

    /// Adds spans to a trace that waits.
    pub(super) fn append(&mut self, id: &TraceId, bytes: Bytes) {
        let Some(pending) = self.pending.peek_mut(id) else { return };
        self.bytes += bytes.len() as u64;
        if pending.bytes.is_empty() {
            pending.bytes = bytes.into();
        } else {
            pending.bytes.extend_from_slice(&bytes);
        }
    }

    /// Takes a waiting trace out.
    pub(super) fn take(&mut self, id: &TraceId) -> Option<Pending> {
        let pending = self.pending.pop(id)?;
        self.bytes -= pending.bytes.len() as u64;
        Some(pending)
    }

    /// Remembers a decision, for spans that come late.
    pub(super) fn decide(&mut self, id: TraceId, decided: Decided) {
        self.decided.push(id, decided);
    }

    /// Forgets the oldest decision.
    pub(super) fn forget(&mut self) -> Option<Decided> {
        self.decided.pop_lru().map(|(_, decided)| decided)
    }

    /// Takes out the trace that has waited longest.
    pub(super) fn take_oldest(&mut self) -> Option<(TraceId, Pending)> {
        let (id, pending) = self.pending.pop_lru()?;
        self.bytes -= pending.bytes.len() as u64;
        Some((id, pending))
    }

    pub(super) fn is_anything_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

// === impl Decisions ===

impl Decisions {
    /// Remembers so many of each kind; none where that is zero or less.
    pub(super) fn new(sampled: i64, not_sampled: i64) -> Self {
        let ids = |most: i64| {
            let most = usize::try_from(most).ok().and_then(NonZeroUsize::new)?;
            // Grows as it is needed: it may never be full.
            let mut ids = LruCache::unbounded_with_hasher(ahash::RandomState::default());
            ids.resize(most);
            Some(ids)
        };
        Self { sampled: ids(sampled), not_sampled: ids(not_sampled) }
    }

    /// The remembered decision: whether the trace was sampled.
    pub(super) fn get(&mut self, id: &TraceId) -> Option<bool> {
        if self.sampled.as_mut().is_some_and(|ids| ids.get(id).is_some()) {
            return Some(true);
        }
        self.not_sampled.as_mut().is_some_and(|ids| ids.get(id).is_some()).then_some(false)
    }

    /// Remembers a decision; says whether it will be known.
    pub(super) fn put(&mut self, id: TraceId, sampled: bool) -> bool {
        let ids = if sampled { &mut self.sampled } else { &mut self.not_sampled };
        match ids {
            Some(ids) => {
                ids.put(id, ());
                true
            }
            None => false,
        }
    }
}
