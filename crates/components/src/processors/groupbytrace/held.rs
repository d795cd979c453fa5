//! Traces that wait for more of their spans.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use spanmill_otlp::{Malformed, ResourceParts, ScopeParts, SpanIx, Traces};
use tokio::time::Instant;

/// Traces in the order in which they came. Requests are kept as they are and shared by their traces; what belongs to a trace is put together
/// when it goes.
#[derive(Debug)]
pub(super) struct Held {
    wait: Duration,
    most: usize,
    order: VecDeque<(Instant, TraceId)>,
    traces: HashMap<TraceId, Trace>,
}

type TraceId = [u8; 16];

/// What has come of a trace.
#[derive(Debug, Default)]
pub(super) struct Trace(Vec<Fragment>);

/// Spans of one trace in one scope of a request.
#[derive(Debug)]
struct Fragment {
    request: Arc<Request>,
    resource: usize,
    scope: usize,
    spans: Vec<SpanIx>,
}

/// A request, and the headers of its resources and scopes.
#[derive(Debug)]
struct Request {
    traces: Traces,
    resources: Vec<Vec<u8>>,
    scopes: Vec<Vec<u8>>,
}

// === impl Held ===

impl Held {
    /// Holds at most `most` traces, each for `wait` from its first span on.
    pub(super) fn new(wait: Duration, most: usize) -> Self {
        Self { wait, most, order: VecDeque::new(), traces: HashMap::new() }
    }

    /// Takes the spans of a request in. `evicted` gets the traces that have to give way, the oldest first.
    pub(super) fn push(&mut self, traces: Traces, now: Instant, mut evicted: impl FnMut(TraceId, Trace)) {
        let resources = traces.resources().map(|resource| resource.header()).collect();
        let scopes = traces.scopes().map(|scope| scope.header()).collect();
        let request = Arc::new(Request { traces, resources, scopes });
        let mut scope_at = 0;
        for (resource_at, resource) in request.traces.resources().enumerate() {
            for scope in resource.scopes() {
                // Scope by scope, in the order of the Collector: it decides which traces give way.
                let mut of_scope: Vec<(TraceId, Vec<SpanIx>)> = Vec::new();
                let mut known: HashMap<TraceId, usize> = HashMap::new();
                for span in scope.spans() {
                    let id = trace_id(span.trace_id());
                    let at = *known.entry(id).or_insert_with(|| {
                        of_scope.push((id, Vec::new()));
                        of_scope.len() - 1
                    });
                    if let Some((_, spans)) = of_scope.get_mut(at) {
                        spans.push(span.ix());
                    }
                }
                for (id, spans) in of_scope {
                    let fragment =
                        Fragment { request: Arc::clone(&request), resource: resource_at, scope: scope_at, spans };
                    self.add(id, fragment, now, &mut evicted);
                }
                scope_at += 1;
            }
        }
    }

    fn add(&mut self, id: TraceId, fragment: Fragment, now: Instant, evicted: &mut impl FnMut(TraceId, Trace)) {
        if let Some(trace) = self.traces.get_mut(&id) {
            return trace.0.push(fragment);
        }
        if self.order.len() >= self.most
            && let Some((id, trace)) = self.take_oldest()
        {
            evicted(id, trace);
        }
        self.order.push_back((now + self.wait, id));
        self.traces.insert(id, Trace(vec![fragment]));
    }

    /// How many traces wait.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// When the oldest trace has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    /// The oldest trace.
    pub(super) fn take_oldest(&mut self) -> Option<(TraceId, Trace)> {
        let (_, id) = self.order.pop_front()?;
        Some((id, self.traces.remove(&id)?))
    }
}

/// An id of sixteen bytes; a missing one is all zeros.
fn trace_id(id: &[u8]) -> TraceId {
    id.try_into().unwrap_or_default()
}

// === impl Trace ===

impl Trace {
    pub(super) fn span_count(&self) -> usize {
        self.0.iter().map(|fragment| fragment.spans.len()).sum()
    }

    /// The trace as one request.
    pub(super) fn compose(&self) -> Result<Traces, Malformed> {
        let mut parts: Vec<ResourceParts<'_>> = Vec::new();
        let same_resource = |left: &Fragment, right: &Fragment| {
            Arc::ptr_eq(&left.request, &right.request) && left.resource == right.resource
        };
        for fragments in self.0.chunk_by(same_resource) {
            let Some(first) = fragments.first() else { continue };
            let header = first.request.resources.get(first.resource).map_or(&[][..], Vec::as_slice);
            parts.push(ResourceParts { header, scopes: fragments.iter().map(Fragment::parts).collect() });
        }
        Traces::compose(&parts, usize::MAX)
    }
}

// === impl Fragment ===

impl Fragment {
    fn parts(&self) -> ScopeParts<'_> {
        let header = self.request.scopes.get(self.scope).map_or(&[][..], Vec::as_slice);
        let spans = self.spans.iter().filter_map(|ix| self.request.traces.span(*ix)).map(|span| span.message());
        ScopeParts { header, spans: spans.collect() }
    }
}
