//! Calls that failed before there was any usage. Nobody owns them: the innermost span of each stands for it.

use std::collections::{HashMap, HashSet, VecDeque};

use ahash::RandomState;
use spanmill_otlp::Traces;

use super::call::{Call, Plan, Standing};

/// Spans above calls, the last ones that were seen. A span mostly ends, and arrives, after those below it.
#[derive(Debug, Default)]
pub(super) struct Above {
    hasher: RandomState,
    known: HashSet<u64, RandomState>,
    order: VecDeque<u64>,
}

/// So many spans are remembered.
const MOST: usize = 8_192;
/// Ancestors are followed this far.
const DEPTH: usize = 64;

// === impl Above ===

impl Above {
    /// Takes in a request: the spans above its calls, and above those that were above a call before.
    pub(super) fn learn(&mut self, plan: &Plan, traces: &Traces) {
        let mut parents: HashMap<u64, u64, RandomState> = HashMap::default();
        let mut calls = Vec::new();
        let mut call = plan.call();
        for span in traces.resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.spans()) {
            let standing = call.read(span);
            let id = self.id(call.trace_id, call.span_id);
            if !call.parent_id.is_empty() {
                let parent = self.id(call.trace_id, call.parent_id);
                parents.insert(id, parent);
            }
            if standing != Standing::Other || self.known.contains(&id) {
                calls.push(id);
            }
        }
        for mut id in calls {
            for _ in 0..DEPTH {
                let Some(parent) = parents.get(&id) else { break };
                self.remember(*parent);
                id = *parent;
            }
        }
    }

    pub(super) fn contains(&self, call: &Call<'_, '_>) -> bool {
        self.known.contains(&self.id(call.trace_id, call.span_id))
    }

    fn id(&self, trace: &[u8], span: &[u8]) -> u64 {
        self.hasher.hash_one((trace, span))
    }

    fn remember(&mut self, id: u64) {
        if !self.known.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
