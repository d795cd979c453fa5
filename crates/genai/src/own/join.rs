//! Spans of one call that do not lie in each other: joined by their response id, or by counts and time.

use crate::call::{Call, Role, Why};
use crate::vocabulary::Class;

/// More spans with equal counts than this are not paired by time.
const MOST_EQUAL: usize = 128;

/// Spans with one response id that do not lie in each other: of those that took about as long as the longest, the
/// innermost owns the call. Says whether there are any.
pub(super) fn join_by_response(calls: &mut [Call<'_>]) -> bool {
    if !any_response_repeats(calls) {
        return false;
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
                (call.role, call.owner, call.why) = (Role::Duplicate, owner, Why::Response);
            }
        }
    }
    true
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
/// only the inner one has a response id. They are siblings, or one of them is alone in its trace. Says
/// whether there are any.
pub(super) fn join_by_time(calls: &mut [Call<'_>]) -> bool {
    let mut joined = vec![false; calls.len()];
    pair(calls, &mut joined, |call| call.input);
    // Some copy the input that Anthropic counts without the cache, and leave the cache out.
    if calls.iter().any(|call| cached(call) > 0) {
        pair(calls, &mut joined, |call| Some(call.input?.saturating_sub(cached(call))));
    }
    joined.contains(&true)
}

/// Joins what has the same input, as `input` sees it, and the same output. Notes the inner spans of the pairs.
fn pair(calls: &mut [Call<'_>], joined: &mut [bool], input: impl Fn(&Call<'_>) -> Option<i64>) {
    type Counts = (Option<i64>, Option<i64>);
    let mut groups: Vec<(Counts, u32)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.role == Role::Owner && call.class == Class::Model && call.output.is_some())
        .map(|(at, call)| ((input(call), call.output), at as u32))
        .collect();
    groups.sort_unstable();
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
                (upper.role, upper.owner, upper.why) = (Role::Duplicate, Some(inner), Why::Time);
                if let Some(joined) = joined.get_mut(inner as usize) {
                    *joined = true;
                }
            }
        }
    }
}

/// What of the input was read from a cache or written to one.
fn cached(call: &Call<'_>) -> i64 {
    call.cache_read.unwrap_or(0).saturating_add(call.cache_write.unwrap_or(0))
}

/// Records of the usage of calls, which stand beside them. Each belongs to the call with its counts that ended last before
/// it began. Says whether there are any.
pub(super) fn join_records(calls: &mut [Call<'_>]) -> bool {
    type Counts = (u64, Option<i64>, Option<i64>);
    let mut groups: Vec<(Counts, u64, u32)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.role == Role::Owner)
        .map(|(at, call)| ((call.trace, call.input, call.output), call.start, at as u32))
        .collect();
    groups.sort_unstable();
    let mut any = false;
    for group in groups.chunk_by(|left, right| left.0 == right.0).filter(|group| group.len() > 1) {
        // The call that the next record is of.
        let mut open: Option<u32> = None;
        for (_, start, at) in group {
            let Some(call) = calls.get(*at as usize) else { continue };
            if !call.may_be_record() {
                open = Some(*at);
                continue;
            }
            let ended = |call: &u32| calls.get(*call as usize).is_some_and(|call| call.end <= *start);
            let Some(owner) = open.take_if(|call| ended(call)) else { continue };
            if let Some(record) = calls.get_mut(*at as usize) {
                (record.role, record.owner, record.why) = (Role::Duplicate, Some(owner), Why::Record);
                any = true;
            }
        }
    }
    any
}

/// Whether a span lies inside another one and fills it but for a tenth, or a tenth of a second.
fn right_inside(inner: &Call<'_>, outer: &Call<'_>) -> bool {
    let slack = (outer.duration() / 10).max(100_000_000);
    outer.start <= inner.start && inner.end <= outer.end && outer.duration() - inner.duration() <= slack
}
