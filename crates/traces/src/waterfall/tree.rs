//! Spans below their parents.

use std::collections::{HashMap, HashSet};

use super::Served;

/// Where a span stands.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) served: Served<'a>,
    pub(super) is_orphan: bool,
    /// From the root down to the span: whether a sibling follows.
    pub(super) has_later: Vec<bool>,
}

/// All spans from top to bottom. Each is there once, whatever they say of their parents.
pub(super) fn ordered<'a>(spans: &[Served<'a>]) -> Vec<Place<'a>> {
    let known: HashSet<&[u8]> = spans.iter().map(|served| served.span.span_id.as_slice()).collect();
    let mut sorted: Vec<Served<'a>> = spans.to_vec();
    sorted.sort_by_key(|served| (served.span.start_time_unix_nano, std::cmp::Reverse(served.span.end_time_unix_nano)));
    let mut roots = Vec::new();
    let mut children: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, served) in sorted.iter().enumerate() {
        let parent = served.span.parent_span_id.as_slice();
        if parent.is_empty() || !known.contains(parent) || parent == served.span.span_id {
            roots.push(at);
        } else {
            children.entry(parent).or_default().push(at);
        }
    }
    let mut placed = HashSet::new();
    let mut places = Vec::with_capacity(sorted.len());
    place(&sorted, &children, &roots, &mut placed, &mut places);
    // Those that are each other's parents hang below nothing.
    for at in 0..sorted.len() {
        if !placed.contains(&at) {
            place(&sorted, &children, &[at], &mut placed, &mut places);
        }
    }
    places
}

fn place<'a>(
    sorted: &[Served<'a>],
    children: &HashMap<&[u8], Vec<usize>>,
    roots: &[usize],
    placed: &mut HashSet<usize>,
    places: &mut Vec<Place<'a>>,
) {
    // The next one is at the end. Not recursive, since a trace may be deeper than the stack.
    let mut waiting: Vec<(usize, Vec<bool>)> = siblings(roots, &[]);
    while let Some((at, has_later)) = waiting.pop() {
        let Some(served) = sorted.get(at).copied() else { continue };
        if !placed.insert(at) {
            continue;
        }
        if let Some(below) = children.get(served.span.span_id.as_slice()) {
            waiting.extend(siblings(below, &has_later));
        }
        let is_orphan = has_later.len() == 1 && !served.span.parent_span_id.is_empty();
        places.push(Place { served, is_orphan, has_later });
    }
}

fn siblings(all: &[usize], above: &[bool]) -> Vec<(usize, Vec<bool>)> {
    let last = all.len().saturating_sub(1);
    let each = all.iter().enumerate().rev();
    each.map(|(number, at)| (*at, above.iter().copied().chain([number != last]).collect())).collect()
}
