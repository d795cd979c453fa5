//! Exactly one owner of the usage of each call: decided by the tree of the trace as far as the request shows it, by
//! response ids, and by what passed before.

mod join;
mod merge;
mod recent;
mod running;

use join::{join_by_response, join_by_time, join_records};
use merge::{infer_tool_calls, merge, take_echoes, wrappers};
use recent::across_requests;
use running::take_apart;

use crate::account::counts;
use crate::call::{Call, Node, Role, Why};
use crate::memory::Memory;
use crate::target;
use crate::vocabulary::{Class, ErrorClass, Vocabulary};

/// Ancestors are followed this far.
const DEPTH: usize = 64;

/// Ids that collide more often than this are not found: only made-up ones do.
const PROBES: usize = 64;

/// Spans of the request by their id.
struct Ids {
    buckets: Vec<u32>,
    mask: u64,
}

/// What occurs among the calls of a request: most questions need not be asked of most requests.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// A call of a tool.
    pub(crate) tools: bool,
    /// A failed span.
    pub(crate) failed: bool,
    /// Counts that include those of calls before.
    running: bool,
    /// A step that was given the response of a call.
    echoes: bool,
    /// Usage with a response id.
    named: bool,
    /// Usage without one.
    unnamed: bool,
    /// What may be records of the usage of calls.
    records: bool,
}

/// What a span that carries usage has below it.
#[derive(Debug, Clone, Copy, Default)]
struct Below {
    count: u32,
    input: i64,
    output: i64,
    /// One of them.
    last: u32,
}

/// Decides the roles of all calls, and brings facts of one call to the span that owns it.
pub(crate) fn decide<'a>(
    calls: &mut [Call<'a>],
    nodes: &[Node],
    marks: Marks,
    memory: &mut Memory,
    vocabulary: &'a Vocabulary,
) {
    if calls.is_empty() {
        return;
    }
    if nodes.len() > calls.len() {
        ask_hosts(calls, nodes, vocabulary);
    }
    if marks.running {
        take_apart(calls);
    }
    // Mostly the spans of a trace arrive apart: then there is no tree to look at.
    let nested = nodes.len() > 1 && climb(calls, nodes);
    let joined = within_request(calls, nested, marks);
    across_requests(calls, memory);
    if joined {
        merge(calls);
    }
    if nested {
        wrappers(calls);
    }
    if marks.echoes {
        take_echoes(calls);
    }
    if marks.tools {
        infer_tool_calls(calls);
    }
    if marks.failed && nodes.len() > calls.len() {
        ask_transport(calls, nodes);
    }
    if nested {
        without_usage(calls);
    }
}

/// Of the spans of a call without usage, such as one that failed, the innermost stands for it; others repeat it. What carries no usage below
/// a call's owner repeats that one. What failed does not repeat what did not: it was an attempt, or failed at the answer.
fn without_usage(calls: &mut [Call<'_>]) {
    let mut below = vec![(0u32, 0u32); calls.len()];
    for at in 0..calls.len() {
        let Some(call) = calls.get(at).filter(|call| call.class == Class::Model) else { continue };
        let Some(above) = model_above(calls, call) else { continue };
        let Some(upper) = calls.get(above as usize).filter(|upper| upper.failed == call.failed) else { continue };
        match (call.role, upper.role) {
            (_, Role::None) => {
                if let Some(entry) = below.get_mut(above as usize) {
                    *entry = (entry.0 + 1, at as u32);
                }
            }
            (Role::None, Role::Owner) => repeats(calls, at, above, Role::Duplicate, Why::Outer),
            _ => {}
        }
    }
    for (at, (count, last)) in below.into_iter().enumerate() {
        match count {
            0 => {}
            1 => repeats(calls, at, last, Role::Duplicate, Why::Inner),
            _ => repeats(calls, at, last, Role::Rollup, Why::Sum),
        }
    }
}

/// The nearest span of a call of a model above.
fn model_above(calls: &[Call<'_>], call: &Call<'_>) -> Option<u32> {
    let mut above = call.above;
    for _ in 0..DEPTH {
        let upper = calls.get(above? as usize)?;
        if upper.class == Class::Model {
            return above;
        }
        above = upper.above;
    }
    None
}

fn repeats(calls: &mut [Call<'_>], at: usize, owner: u32, role: Role, why: Why) {
    if let Some(call) = calls.get_mut(at) {
        (call.role, call.owner, call.why) = (role, Some(owner), why);
    }
}

/// The host that was called right below a call of a model tells who serves it, whatever the library says. Where there are several, they
/// must be one provider's.
fn ask_hosts<'a>(calls: &mut [Call<'a>], nodes: &[Node], vocabulary: &'a Vocabulary) {
    let called = |node: &Node| Some(((node.trace, node.parent), vocabulary.provider_at(node.host?)?));
    let mut hosts: Vec<((u64, u64), &'a str)> = nodes.iter().filter_map(called).collect();
    if hosts.is_empty() {
        return;
    }
    hosts.sort_unstable();
    hosts.dedup();
    for call in calls.iter_mut().filter(|call| call.class == Class::Model) {
        let key = (call.trace, call.id);
        let first = hosts.partition_point(|(known, _)| *known < key);
        let mut own = hosts.iter().skip(first).take_while(|(known, _)| *known == key).map(|(_, provider)| *provider);
        let (Some(provider), None) = (own.next(), own.next()) else { continue };
        call.provider_guessed = false;
        if call.provider.as_deref() != Some(provider) {
            call.provider = Some(provider.into());
            call.changed(target::PROVIDER);
        }
    }
}

/// A call that failed and does not say why has the error of the last HTTP request right below it.
fn ask_transport(calls: &mut [Call<'_>], nodes: &[Node]) {
    let mut errors: Vec<((u64, u64), ErrorClass)> =
        nodes.iter().filter_map(|node| Some(((node.trace, node.parent), node.error?))).collect();
    // The order among the requests of a call stays.
    errors.sort_by_key(|(call, _)| *call);
    for call in calls.iter_mut().filter(|call| call.failed && call.error.is_none() && call.class == Class::Model) {
        let behind = errors.partition_point(|(known, _)| *known <= (call.trace, call.id));
        let last = behind.checked_sub(1).and_then(|last| errors.get(last));
        call.error = last.filter(|(known, _)| *known == (call.trace, call.id)).map(|(_, error)| *error);
    }
}

/// Finds for each call the nearest GenAI span above it, and the nearest one with usage; says whether there is any.
fn climb(calls: &mut [Call<'_>], nodes: &[Node]) -> bool {
    let mut nested = false;
    let ids = Ids::new(nodes);
    for at in 0..calls.len() {
        let Some(call) = calls.get(at) else { continue };
        let (trace, mut parent) = (call.trace, call.parent);
        let (mut above, mut usage_above) = (None, None);
        for _ in 0..DEPTH {
            if parent == 0 {
                break;
            }
            let Some(node) = ids.find(nodes, trace, parent) else { break };
            if let Some(upper) = node.call.filter(|upper| *upper != at as u32) {
                above = above.or(Some(upper));
                if calls.get(upper as usize).is_some_and(counts) {
                    usage_above = Some(upper);
                    break;
                }
            }
            parent = node.parent;
        }
        if let Some(call) = calls.get_mut(at) {
            (call.above, call.usage_above) = (above, usage_above);
            nested |= above.is_some();
        }
    }
    nested
}

/// Says whether any call has its owner in another span.
fn within_request(calls: &mut [Call<'_>], nested: bool, marks: Marks) -> bool {
    if nested {
        by_tree(calls);
    } else {
        calls.iter_mut().filter(|call| counts(call)).for_each(|call| call.role = Role::Owner);
    }
    let by_response = marks.named && join_by_response(calls);
    let by_time = marks.named && marks.unnamed && join_by_time(calls);
    let by_record = marks.records && join_records(calls);
    nested || by_response || by_time || by_record
}

/// The innermost span of a call owns its usage; what sums several is a roll-up.
fn by_tree(calls: &mut [Call<'_>]) {
    let mut below = vec![Below::default(); calls.len()];
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| counts(call)) {
        // A server's span below the client's is the same call seen from the other side.
        if let Some(upper) = call.usage_above
            && !call.server
            && let Some(entry) = below.get_mut(upper as usize)
        {
            entry.count += 1;
            entry.input = entry.input.saturating_add(call.input.unwrap_or(0));
            entry.output = entry.output.saturating_add(call.output.unwrap_or(0));
            entry.last = at as u32;
        }
    }
    for at in 0..calls.len() {
        let Some(call) = calls.get(at).filter(|call| counts(call)) else { continue };
        let entry = below.get(at).copied().unwrap_or_default();
        let inner = calls.get(entry.last as usize);
        let (role, owner, why) = match (entry.count, call.usage_above, inner) {
            (0, Some(client), _) if call.server => (Role::Duplicate, Some(client), Why::Server),
            (0, _, _) => (Role::Owner, None, Why::Alone),
            (1, _, Some(inner)) if call.class != Class::Rollup && same_call(call, inner) => {
                (Role::Duplicate, Some(entry.last), Why::Inner)
            }
            (1, _, Some(_)) if call.class != Class::Rollup && !covers(call, &entry) => {
                (Role::Owner, None, Why::OtherCounts)
            }
            (1, _, _) => (Role::Rollup, Some(entry.last), Why::Sum),
            _ => (Role::Rollup, None, Why::Sum),
        };
        if let Some(call) = calls.get_mut(at) {
            (call.role, call.owner, call.why) = (role, owner, why);
        }
    }
}

/// Whether two nested spans are one call.
fn same_call(outer: &Call<'_>, inner: &Call<'_>) -> bool {
    match (&outer.response_id, &inner.response_id) {
        // A gateway may give the answer an id of its own.
        (Some(left), Some(right)) if left != right => {
            let models = outer.class == Class::Model && inner.class == Class::Model;
            models && (outer.input, outer.output) == (inner.input, inner.output)
        }
        (Some(_), Some(_)) => true,
        _ if outer.class == Class::Model && inner.class == Class::Model => true,
        _ => outer.input == inner.input && outer.output == inner.output,
    }
}

/// Whether a span's counts are the sum of those below it.
fn covers(call: &Call<'_>, below: &Below) -> bool {
    call.input.unwrap_or(0) >= below.input && call.output.unwrap_or(0) >= below.output
}

// === impl Marks ===

impl Marks {
    /// Takes a call into account.
    pub(crate) fn note(&mut self, call: &Call<'_>) {
        self.tools |= call.class == Class::Tool;
        self.failed |= call.failed;
        self.echoes |= call.echoes;
        self.running |= call.running;
        self.named |= call.response_hash != 0;
        self.unnamed |= call.response_hash == 0;
        self.records |= call.response_hash == 0 && call.may_be_record();
    }
}

// === impl Ids ===

impl Ids {
    fn new(nodes: &[Node]) -> Self {
        let size = (nodes.len() * 2).next_power_of_two();
        let mut ids = Self { buckets: vec![0; size], mask: size as u64 - 1 };
        for (at, node) in nodes.iter().enumerate() {
            let mut bucket = hash(node.trace, node.id) & ids.mask;
            for _ in 0..PROBES {
                let Some(slot) = ids.buckets.get_mut(bucket as usize) else { break };
                if *slot == 0 {
                    *slot = at as u32 + 1;
                    break;
                }
                bucket = (bucket + 1) & ids.mask;
            }
        }
        ids
    }

    fn find<'n>(&self, nodes: &'n [Node], trace: u64, id: u64) -> Option<&'n Node> {
        let mut bucket = hash(trace, id) & self.mask;
        for _ in 0..PROBES {
            let at = self.buckets.get(bucket as usize)?.checked_sub(1)?;
            let node = nodes.get(at as usize)?;
            if node.id == id && node.trace == trace {
                return Some(node);
            }
            bucket = (bucket + 1) & self.mask;
        }
        None
    }
}

fn hash(trace: u64, id: u64) -> u64 {
    (id ^ trace.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}
