//! Brings what only another span of a call says to the span that owns it.

use std::borrow::Cow;

use super::DEPTH;
use crate::call::{Call, Role};
use crate::target::{self, Target};
use crate::vocabulary::{Class, Finish, names_snapshot};

/// Brings what only another span of the call says to the owner.
pub(super) fn merge(calls: &mut [Call<'_>]) {
    for at in 0..calls.len() {
        let Some(call) = calls.get(at) else { continue };
        let (Some(owner), Role::Duplicate | Role::Rollup) = (call.owner, call.role) else { continue };
        let (from, same) = (call.clone(), call.role == Role::Duplicate);
        let owner = owner_of(calls, owner);
        if let Some(owner) = calls.get_mut(owner as usize) {
            complete(owner, &from, same);
        }
    }
}

/// The span that owns the usage of a call, by any of its spans.
fn owner_of(calls: &[Call<'_>], mut at: u32) -> u32 {
    for _ in 0..DEPTH {
        match calls.get(at as usize).map(|call| (call.role, call.owner)) {
            Some((Role::Duplicate | Role::Rollup, Some(owner))) => at = owner,
            _ => break,
        }
    }
    at
}

/// Whether two spans may speak of one response.
fn agree(left: &Call<'_>, right: &Call<'_>) -> bool {
    left.response_id.is_none() || right.response_id.is_none() || left.response_id == right.response_id
}

/// Whether what two spans name may be one model.
fn same_model(left: &Call<'_>, right: &Call<'_>) -> bool {
    let (left, right) = (models(left), models(right));
    let is_same =
        |name: &str| left.into_iter().flatten().any(|other| name.starts_with(other) || other.starts_with(name));
    let told = |models: [Option<&str>; 2]| models.iter().any(Option::is_some);
    !told(left) || !told(right) || right.into_iter().flatten().any(is_same)
}

fn models<'c>(call: &'c Call<'_>) -> [Option<&'c str>; 2] {
    [call.response_model.as_deref(), call.request_model.as_deref()]
}

/// A span without usage right above or below the only one with usage is a span of the same call.
pub(super) fn wrappers(calls: &mut [Call<'_>]) {
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
        let owner = owner_of(calls, child);
        // A framework's step, whatever it is called, may know the response of the one call it makes. Without the response's
        // id it tells how that one ended, and nothing else.
        let known = upper.response_id.is_some();
        let step = matches!(upper.class, Class::Rollup | Class::Other)
            && (known || upper.finish_reasons.is_some())
            && !upper.echoes
            && calls
                .get(owner as usize)
                .is_some_and(|owner| agree(owner, upper) && (known || same_model(owner, upper)));
        if upper.class != Class::Model && !step {
            continue;
        }
        match (upper.role, lower.role) {
            (Role::None, Role::Owner | Role::Duplicate) => {
                let (from, same) = (upper.clone(), upper.class == Class::Model || known);
                if let Some(owner) = calls.get_mut(owner as usize) {
                    complete(owner, &from, same);
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

/// A step that is given the response of the call right before it says more of that response than the call's own span.
pub(super) fn take_echoes(calls: &mut [Call<'_>]) {
    let mut siblings: Vec<(u64, u64, u64, u32)> = Vec::new();
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.echoes || call.class == Class::Model) {
        siblings.push((call.trace, call.parent, call.start, at as u32));
        // A call may stand inside a step of its own, beside the step that is given its response.
        let step = call.above.and_then(|above| calls.get(above as usize));
        if let Some(step) = step.filter(|step| step.id == call.parent && step.class == Class::Rollup && !call.echoes) {
            siblings.push((step.trace, step.parent, call.start, at as u32));
        }
    }
    siblings.sort_unstable();
    for pair in siblings.windows(2) {
        let [(trace, parent, _, at), (next_trace, next_parent, start, next)] = *pair else { continue };
        let (Some(call), Some(echo)) = (calls.get(at as usize), calls.get(next as usize)) else { continue };
        if (trace, parent) != (next_trace, next_parent) || !echo.echoes || call.echoes || start < call.end {
            continue;
        }
        let (from, owner) = (echo.clone(), owner_of(calls, at));
        if let Some(owner) = calls.get_mut(owner as usize).filter(|owner| agree(owner, &from)) {
            complete(owner, &from, true);
        }
    }
}

/// Google's models and Ollama's say `stop` when they call a tool. A tool that runs beside the call, after it and before the next
/// call, was called by it.
pub(super) fn infer_tool_calls(calls: &mut [Call<'_>]) {
    let stops = |provider: &str| provider.starts_with("gcp.") || provider == "ollama";
    let stops = |call: &Call<'_>| call.always_stops || call.provider.as_deref().is_some_and(stops);
    let mut siblings: Vec<(u64, u64, u64, usize)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.class == Class::Tool || call.role == Role::Owner && stops(call))
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
    // A tool may run inside of the span of the call that asked for it.
    let stopped = |call: &Call<'_>| call.role == Role::Owner && stops(call) && call.finish == Some(Finish::Stop);
    let own = calls.iter().enumerate().filter(|(_, call)| stopped(call));
    let mut owners: Vec<(u64, u64, usize)> = own.map(|(at, call)| (call.trace, call.id, at)).collect();
    owners.sort_unstable();
    let tools = calls.iter().filter(|call| call.class == Class::Tool);
    let around =
        |tool: &Call<'_>| owners.binary_search_by_key(&(tool.trace, tool.parent), |(trace, id, _)| (*trace, *id));
    let asked: Vec<usize> = tools.filter_map(|tool| Some(owners.get(around(tool).ok()?)?.2)).collect();
    for at in asked {
        if let Some(call) = calls.get_mut(at) {
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
        // That it called a tool is known better than by a word that some use for both.
        if owner.finish.is_none() || !matches!(from.finish, Some(Finish::Stop) | None) {
            owner.finish = from.finish;
        }
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
    // Who writes the name that was asked for in place of the answer's does not know the snapshot that answered.
    let copied = owner.response_model.is_some() && owner.response_model == owner.request_model;
    if copied
        && from.response_model.as_deref().is_some_and(|model| is_snapshot_of(model, owner.request_model.as_deref()))
    {
        owner.response_model = None;
    }
    copy_text(&mut owner.response_model, &from.response_model, &mut owner.right, target::RESPONSE_MODEL);
    copy_count(&mut owner.input, from.input, &mut owner.right, target::INPUT);
    copy_count(&mut owner.output, from.output, &mut owner.right, target::OUTPUT);
    copy_count(&mut owner.cache_read, from.cache_read, &mut owner.right, target::CACHE_READ);
    copy_count(&mut owner.cache_write, from.cache_write, &mut owner.right, target::CACHE_WRITE);
    copy_count(&mut owner.reasoning, from.reasoning, &mut owner.right, target::REASONING);
    owner.parts.complete(&from.parts);
    owner.longest = owner.longest.max(from.longest);
    owner.tool_calls |= from.tool_calls;
}

/// Whether a name is the other one with a date behind it.
fn is_snapshot_of(model: &str, alias: Option<&str>) -> bool {
    let date = alias.and_then(|alias| model.strip_prefix(alias)).unwrap_or_default();
    names_snapshot(date) && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
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
