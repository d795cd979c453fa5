//! Traces that wait until more of their spans have come.

use std::collections::{BTreeMap, HashMap, HashSet};

use spanmill_otlp::{Malformed, Traces};
use tokio::time::{Duration, Instant};

/// Requests that wait, the oldest first. A trace waits from its first span on; those that come in later requests go with it.
#[derive(Debug)]
pub(super) struct Held {
    wait: Duration,
    most_bytes: usize,
    requests: BTreeMap<u64, Request>,
    /// Which requests have spans of a trace.
    by_trace: HashMap<u128, Vec<u64>>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Request {
    until: Instant,
    traces: Traces,
    ids: HashSet<u128>,
    bytes: usize,
}

// === impl Held ===

impl Held {
    pub(super) fn new(wait: Duration, most_bytes: usize) -> Self {
        Self { wait, most_bytes, requests: BTreeMap::new(), by_trace: HashMap::new(), bytes: 0, next: 0 }
    }

    pub(super) fn push(&mut self, traces: Traces, now: Instant) {
        let number = self.next;
        self.next += 1;
        let ids: HashSet<u128> = traces.spans().map(|span| trace_id(span.trace_id())).collect();
        for id in &ids {
            self.by_trace.entry(*id).or_default().push(number);
        }
        let bytes = traces.encoded_len();
        self.bytes += bytes;
        self.requests.insert(number, Request { until: now + self.wait, traces, ids, bytes });
    }

    /// When the oldest request has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.requests.first_key_value().map(|(_, request)| request.until)
    }

    /// Whether more is held than may be: the oldest has to go before its time.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.most_bytes
    }

    /// The oldest request, with the spans of its traces that came later.
    pub(super) fn take_oldest(&mut self) -> Option<Result<Traces, Malformed>> {
        let number = *self.requests.first_key_value()?.0;
        let ids = self.requests.get(&number)?.ids.clone();
        let mut parts: HashMap<u64, HashSet<u128>> = HashMap::new();
        for id in ids {
            for other in self.by_trace.remove(&id).into_iter().flatten() {
                parts.entry(other).or_default().insert(id);
            }
        }
        let mut parts: Vec<(u64, HashSet<u128>)> = parts.into_iter().collect();
        parts.sort_unstable_by_key(|(number, _)| *number);
        let taken: Vec<Traces> = parts.into_iter().filter_map(|(number, ids)| self.take(number, &ids)).collect();
        Some(Traces::concat(taken))
    }

    /// Takes the spans of these traces out of a request.
    fn take(&mut self, number: u64, ids: &HashSet<u128>) -> Option<Traces> {
        let mut request = self.requests.remove(&number)?;
        self.bytes -= request.bytes;
        if ids.len() == request.ids.len() {
            return Some(request.traces);
        }
        let mut taken = request.traces.clone();
        let spans: Vec<_> = request.traces.spans().map(|span| (span.ix(), trace_id(span.trace_id()))).collect();
        for (span, id) in spans {
            if ids.contains(&id) { request.traces.drop_span(span) } else { taken.drop_span(span) }
        }
        request.ids.retain(|id| !ids.contains(id));
        request.traces = request.traces.freeze();
        request.bytes = request.traces.encoded_len();
        self.bytes += request.bytes;
        self.requests.insert(number, request);
        Some(taken)
    }
}

/// An id as a number; ids of a wrong length, which no valid span has, are cut or filled.
fn trace_id(id: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(id) {
        *to = *from;
    }
    u128::from_le_bytes(bytes)
}
