//! What passed in earlier requests.

use crate::call::{Call, Role, Why};
use crate::memory::{Memory, Usage};
use crate::vocabulary::Class;

/// Compares with usage that passed in earlier requests.
pub(super) fn across_requests(calls: &mut [Call<'_>], memory: &mut Memory) {
    let owners = calls.iter().filter(|call| call.role == Role::Owner);
    memory.warm(owners.map(|call| (call.trace, call.response_hash)));
    for call in calls.iter_mut().filter(|call| call.role == Role::Owner) {
        // Mostly nothing passed before.
        if !memory.may_know(call.trace, call.response_hash) {
            continue;
        }
        let usage = usage_of(call);
        let earlier = memory.of_response(usage.response).find(|known| known.response == usage.response);
        (call.role, call.why) = match earlier {
            // The very span, sent again.
            Some(known) if known.span == usage.span && known.trace == usage.trace => continue,
            Some(_) => (Role::Duplicate, Why::EarlierResponse),
            None => match role_in_trace(&usage, call, memory) {
                Some(role) => (role, Why::EarlierTrace),
                None => continue,
            },
        };
    }
    for call in calls.iter().filter(|call| call.role == Role::Owner) {
        memory.remember(usage_of(call));
    }
}

/// What earlier requests of the trace say about a span that would own its usage.
fn role_in_trace(usage: &Usage, call: &Call<'_>, memory: &Memory) -> Option<Role> {
    let class = call.class;
    for known in memory.of_trace(usage.trace) {
        if known.span == usage.span {
            return None;
        }
        let same_counts = known.input == usage.input && known.output == usage.output;
        if same_counts && known.model && known.end <= usage.start && call.may_be_record() {
            return Some(Role::Duplicate);
        }
        let other_response = known.response != 0 && usage.response != 0;
        // A gateway may give the answer an id of its own.
        let gateway = class == Class::Model && known.model && usage.output.is_some();
        let same_call = same_counts && (!other_response || gateway);
        let inside = usage.start <= known.start && known.end <= usage.end;
        let outside = known.start <= usage.start && usage.end <= known.end;
        if known.parent == usage.span || inside && usage.start != usage.end {
            if class == Class::Rollup {
                return Some(Role::Rollup);
            }
            let child = known.parent == usage.span;
            if child && same_call || !other_response && (same_counts || child) {
                return Some(Role::Duplicate);
            }
        }
        if usage.parent == known.span && (same_call || !known.model) {
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
