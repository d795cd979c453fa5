//! Exactly one owner of the usage of each call: decided by the tree of the trace as far as the request shows it, by
//! response ids, and by what passed before.

use std::borrow::Cow;

use crate::account::counts;
use crate::call::{Call, Node, Role};
use crate::memory::{Memory, Usage};
use crate::target::{self, Target};
use crate::vocabulary::{Class, Finish};

/// Ancestors are followed this far.
const DEPTH: usize = 64;

/// Ids that collide more often than this are not found: only made-up ones do.
const PROBES: usize = 64;

/// More spans with equal counts than this are not paired by time.
const MOST_EQUAL: usize = 128;

/// Spans of the request by their id.
struct Ids {
    buckets: Vec<u32>,
    mask: u64,
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
pub(crate) fn decide(calls: &mut [Call<'_>], nodes: &[Node], memory: &mut Memory) {
    if calls.is_empty() {
        return;
    }
    // Mostly the spans of a trace arrive apart: then there is no tree to look at.
    let nested = nodes.len() > 1 && climb(calls, nodes);
    within_request(calls, nested);
    across_requests(calls, memory);
    if calls.iter().any(|call| call.owner.is_some()) {
        merge(calls);
    }
    if nested {
        wrappers(calls);
    }
    infer_tool_calls(calls);
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

fn within_request(calls: &mut [Call<'_>], nested: bool) {
    if nested {
        by_tree(calls);
    } else {
        calls.iter_mut().filter(|call| counts(call)).for_each(|call| call.role = Role::Owner);
    }
    join_by_response(calls);
    join_by_time(calls);
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
        let (role, owner) = match (entry.count, call.usage_above, inner) {
            (0, Some(client), _) if call.server => (Role::Duplicate, Some(client)),
            (0, _, _) => (Role::Owner, None),
            (1, _, Some(inner)) if call.class != Class::Rollup && same_call(call, inner) => {
                (Role::Duplicate, Some(entry.last))
            }
            (1, _, Some(_)) if call.class != Class::Rollup && !covers(call, &entry) => (Role::Owner, None),
            (1, _, _) => (Role::Rollup, Some(entry.last)),
            _ => (Role::Rollup, None),
        };
        if let Some(call) = calls.get_mut(at) {
            (call.role, call.owner) = (role, owner);
        }
    }
}

/// Spans with one response id that do not lie in each other: of those that took about as long as the longest, the
/// innermost owns the call.
fn join_by_response(calls: &mut [Call<'_>]) {
    if !any_response_repeats(calls) {
        return;
    }
    let mut by_response: Vec<(u64, u32)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.role == Role::Owner && call.response_id.is_some())
        .map(|(at, call)| (call.response_hash, at as u32))
        .collect();
    by_response.sort_unstable();
    for group in by_response.chunk_by(|left, right| left.0 == right.0).filter(|group| group.len() > 1) {
        let durations =
            || group.iter().filter_map(|(_, at)| calls.get(*at as usize).map(|call| (call.duration(), *at)));
        let longest = durations().map(|(duration, _)| duration).max().unwrap_or(0);
        let owner = durations().filter(|(duration, _)| *duration >= longest - longest / 10).min().map(|(_, at)| at);
        for (_, at) in group {
            if Some(*at) != owner
                && let Some(call) = calls.get_mut(*at as usize)
            {
                (call.role, call.owner) = (Role::Duplicate, owner);
            }
        }
    }
}

/// Whether any response id occurs twice; a sort would cost more than the answer, which is mostly no.
fn any_response_repeats(calls: &[Call<'_>]) -> bool {
    let mut seen = vec![0u64; (calls.len() * 2).next_power_of_two()];
    let mask = seen.len() as u64 - 1;
    for call in calls.iter().filter(|call| call.role == Role::Owner && call.response_hash != 0) {
        let mut bucket = call.response_hash & mask;
        while let Some(slot) = seen.get_mut(bucket as usize) {
            if *slot == call.response_hash {
                return true;
            }
            if *slot == 0 {
                *slot = call.response_hash;
                break;
            }
            bucket = (bucket + 1) & mask;
        }
    }
    false
}

/// Two instrumentations of one call that do not know of each other: equal counts, one span right inside the other, and
/// only the inner one has a response id. They are siblings, or one of them is alone in its trace.
fn join_by_time(calls: &mut [Call<'_>]) {
    let unnamed = |call: &Call<'_>| call.role == Role::Owner && call.response_hash == 0;
    let named = |call: &Call<'_>| call.role == Role::Owner && call.response_hash != 0;
    if !calls.iter().any(unnamed) || !calls.iter().any(named) {
        return;
    }
    type Counts = (Option<i64>, Option<i64>);
    let mut groups: Vec<(Counts, u32)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.role == Role::Owner && call.class == Class::Model && call.output.is_some())
        .map(|(at, call)| ((call.input, call.output), at as u32))
        .collect();
    groups.sort_unstable();
    let mut joined = vec![false; calls.len()];
    // Where very many calls have the same counts, pairs cannot be told apart.
    let told_apart = 2..=MOST_EQUAL;
    for group in groups.chunk_by(|left, right| left.0 == right.0).filter(|group| told_apart.contains(&group.len())) {
        for (_, outer) in group {
            let Some(upper) = calls.get(*outer as usize).filter(|call| call.response_id.is_none()) else { continue };
            let inner = group.iter().map(|(_, inner)| *inner).find(|inner| {
                !joined.get(*inner as usize).copied().unwrap_or(true)
                    && calls.get(*inner as usize).is_some_and(|lower| {
                        lower.role == Role::Owner
                            && lower.response_id.is_some()
                            && lower.source != upper.source
                            && (lower.trace == upper.trace && lower.parent == upper.parent
                                || lower.trace != upper.trace && (lower.parent == 0 || upper.parent == 0))
                            && right_inside(lower, upper)
                    })
            });
            if let (Some(inner), Some(upper)) = (inner, calls.get_mut(*outer as usize)) {
                (upper.role, upper.owner) = (Role::Duplicate, Some(inner));
                if let Some(joined) = joined.get_mut(inner as usize) {
                    *joined = true;
                }
            }
        }
    }
}

/// Whether a span lies inside another one and fills it but for a tenth, or a tenth of a second.
fn right_inside(inner: &Call<'_>, outer: &Call<'_>) -> bool {
    let slack = (outer.duration() / 10).max(100_000_000);
    outer.start <= inner.start && inner.end <= outer.end && outer.duration() - inner.duration() <= slack
}

/// Whether two nested spans are one call.
fn same_call(outer: &Call<'_>, inner: &Call<'_>) -> bool {
    match (&outer.response_id, &inner.response_id) {
        (Some(left), Some(right)) => left == right,
        _ if outer.class == Class::Model && inner.class == Class::Model => true,
        _ => outer.input == inner.input && outer.output == inner.output,
    }
}

/// Whether a span's counts are the sum of those below it.
fn covers(call: &Call<'_>, below: &Below) -> bool {
    call.input.unwrap_or(0) >= below.input && call.output.unwrap_or(0) >= below.output
}

/// Compares with usage that passed in earlier requests.
fn across_requests(calls: &mut [Call<'_>], memory: &mut Memory) {
    let owners = calls.iter().filter(|call| call.role == Role::Owner);
    memory.warm(owners.map(|call| (call.trace, call.response_hash)));
    for call in calls.iter_mut().filter(|call| call.role == Role::Owner) {
        let usage = usage_of(call);
        let earlier = memory.of_response(usage.response).find(|known| known.response == usage.response);
        call.role = match earlier {
            // The very span, sent again.
            Some(known) if known.span == usage.span && known.trace == usage.trace => continue,
            Some(_) => Role::Duplicate,
            None => match role_in_trace(&usage, call.class, memory) {
                Some(role) => role,
                None => continue,
            },
        };
    }
    for call in calls.iter().filter(|call| call.role == Role::Owner) {
        memory.remember(usage_of(call));
    }
}

/// What earlier requests of the trace say about a span that would own its usage.
fn role_in_trace(usage: &Usage, class: Class, memory: &Memory) -> Option<Role> {
    for known in memory.of_trace(usage.trace) {
        if known.span == usage.span {
            return None;
        }
        let same_counts = known.input == usage.input && known.output == usage.output;
        let other_response = known.response != 0 && usage.response != 0;
        let inside = usage.start <= known.start && known.end <= usage.end;
        let outside = known.start <= usage.start && usage.end <= known.end;
        if known.parent == usage.span || inside && usage.start != usage.end {
            if class == Class::Rollup {
                return Some(Role::Rollup);
            }
            if !other_response && (same_counts || known.parent == usage.span) {
                return Some(Role::Duplicate);
            }
        }
        if usage.parent == known.span && (same_counts && !other_response || !known.model) {
            return Some(Role::Duplicate);
        }
        if outside && same_counts && !other_response && !known.model {
            return Some(Role::Duplicate);
        }
    }
    None
}

fn usage_of(call: &Call<'_>) -> Usage {
    Usage {
        trace: call.trace,
        span: call.id,
        parent: call.parent,
        response: call.response_hash,
        start: call.start,
        end: call.end,
        input: call.input,
        output: call.output,
        model: call.class == Class::Model,
    }
}

/// Brings what only another span of the call says to the owner.
fn merge(calls: &mut [Call<'_>]) {
    for at in 0..calls.len() {
        let Some(call) = calls.get(at) else { continue };
        let (Some(mut owner), Role::Duplicate | Role::Rollup) = (call.owner, call.role) else { continue };
        for _ in 0..DEPTH {
            match calls.get(owner as usize).map(|next| (next.role, next.owner)) {
                Some((Role::Duplicate | Role::Rollup, Some(next))) => owner = next,
                _ => break,
            }
        }
        let (from, same) = (call.clone(), call.role == Role::Duplicate);
        if let Some(owner) = calls.get_mut(owner as usize) {
            complete(owner, &from, same);
        }
    }
}

/// A span without usage right above or below the only one with usage is a span of the same call.
fn wrappers(calls: &mut [Call<'_>]) {
    let mut children = vec![(0u32, 0u32); calls.len()];
    for (at, call) in calls.iter().enumerate() {
        if let Some(entry) = call.above.and_then(|above| children.get_mut(above as usize))
            && call.class == Class::Model
        {
            *entry = (entry.0 + 1, at as u32);
        }
    }
    for (at, (_, child)) in children.into_iter().enumerate().filter(|(_, (count, _))| *count == 1) {
        let (Some(upper), Some(lower)) = (calls.get(at), calls.get(child as usize)) else { continue };
        // A framework's step may know the response of the one call it makes.
        let step = upper.class == Class::Rollup && upper.response_id.is_some() && lower.response_id.is_none();
        if upper.class != Class::Model && !step {
            continue;
        }
        match (upper.role, lower.role) {
            (Role::None, Role::Owner) => {
                let from = upper.clone();
                if let Some(owner) = calls.get_mut(child as usize) {
                    complete(owner, &from, true);
                }
            }
            (Role::Owner, Role::None) => {
                let from = lower.clone();
                if let Some(owner) = calls.get_mut(at) {
                    complete(owner, &from, true);
                }
            }
            _ => {}
        }
    }
}

/// Google's models say `stop` when they call a tool. A tool that runs beside the call, after it and before the next
/// call, was called by it.
fn infer_tool_calls(calls: &mut [Call<'_>]) {
    if !calls.iter().any(|call| call.class == Class::Tool) {
        return;
    }
    let google = |call: &Call<'_>| call.provider.as_deref().is_some_and(|provider| provider.starts_with("gcp."));
    let mut siblings: Vec<(u64, u64, u64, usize)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.class == Class::Tool || call.role == Role::Owner && google(call))
        .map(|(at, call)| (call.trace, call.parent, call.start, at))
        .collect();
    siblings.sort_unstable();
    for pair in siblings.windows(2) {
        let [(trace, parent, _, at), (next_trace, next_parent, start, next)] = *pair else { continue };
        let is_tool = calls.get(next).is_some_and(|next| next.class == Class::Tool);
        if let Some(call) = calls.get_mut(at).filter(|call| call.role == Role::Owner)
            && (trace, parent) == (next_trace, next_parent)
            && (is_tool && start >= call.end && call.finish == Some(Finish::Stop))
        {
            call.finish = Some(Finish::ToolCall);
        }
    }
}

/// Fills what `owner` lacks. A roll-up over one call tells less than another span of the call itself.
fn complete<'a>(owner: &mut Call<'a>, from: &Call<'a>, same: bool) {
    let mut fill = |lacks: bool, target: Target| {
        if lacks {
            owner.right &= !(1 << target);
        }
        lacks
    };
    if fill(owner.ttft.is_none() && from.ttft.is_some() && !from.ttft_weak, target::TTFT) {
        owner.ttft = from.ttft;
    }
    if fill(owner.finish_reasons.is_none() && from.finish_reasons.is_some(), target::FINISH) {
        owner.finish_reasons.clone_from(&from.finish_reasons);
        owner.finish = from.finish;
    }
    if fill(owner.response_id.is_none() && from.response_id.is_some(), target::RESPONSE_ID) {
        owner.response_id.clone_from(&from.response_id);
        owner.response_hash = from.response_hash;
    }
    if fill(owner.stream.is_none() && from.stream.is_some(), target::STREAM) {
        owner.stream = from.stream;
    }
    if !same {
        return;
    }
    let better =
        from.provider.is_some() && (owner.provider.is_none() || owner.provider_guessed && !from.provider_guessed);
    if fill(better, target::PROVIDER) {
        owner.provider.clone_from(&from.provider);
        owner.provider_guessed = from.provider_guessed;
    }
    copy_text(&mut owner.request_model, &from.request_model, &mut owner.right, target::REQUEST_MODEL);
    copy_text(&mut owner.response_model, &from.response_model, &mut owner.right, target::RESPONSE_MODEL);
    copy_count(&mut owner.input, from.input, &mut owner.right, target::INPUT);
    copy_count(&mut owner.output, from.output, &mut owner.right, target::OUTPUT);
    copy_count(&mut owner.cache_read, from.cache_read, &mut owner.right, target::CACHE_READ);
    copy_count(&mut owner.cache_write, from.cache_write, &mut owner.right, target::CACHE_WRITE);
    copy_count(&mut owner.reasoning, from.reasoning, &mut owner.right, target::REASONING);
    owner.longest = owner.longest.max(from.longest);
    owner.tool_calls |= from.tool_calls;
}

fn copy_text<'a>(to: &mut Option<Cow<'a, str>>, from: &Option<Cow<'a, str>>, right: &mut u16, target: Target) {
    if to.is_none() && from.is_some() {
        to.clone_from(from);
        *right &= !(1 << target);
    }
}

fn copy_count(to: &mut Option<i64>, from: Option<i64>, right: &mut u16, target: Target) {
    if to.is_none() && from.is_some() {
        *to = from;
        *right &= !(1 << target);
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
