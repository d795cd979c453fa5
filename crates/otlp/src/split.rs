//! One request as several: headers of resources and scopes are repeated, items stay in order.

use bytes::Bytes;

use crate::opaque::Opaque;
use crate::outline::{Group, Outline};
use crate::traces::Traces;
use crate::wire::{delimited_len, put_varint};

/// How large the parts may become that a request is split into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitLimit {
    /// So many bytes each, encoded.
    Bytes(usize),
    /// So many spans, metric points or log records each.
    Items(usize),
}

/// Goes through a request and closes a part whenever the next item would not fit.
struct Splitter<'a> {
    outline: &'a Outline<'a>,
    limit: SplitLimit,
    parts: Vec<Part>,
    /// Encoded length of the resources of the current part that are complete.
    done: usize,
    /// Length of the current resource, without the scope that is open.
    resource_len: usize,
    scope_len: usize,
}

/// What a part consists of.
#[derive(Default)]
struct Part {
    resources: Vec<PartResource>,
    /// Spans, points or records in it.
    items: usize,
}

struct PartResource {
    resource: usize,
    scopes: Vec<PartScope>,
}

struct PartScope {
    scope: usize,
    items: std::ops::Range<usize>,
}

// === impl Traces ===

impl Traces {
    /// Parts that keep to the limit, in order, with the headers of resources and scopes repeated. A span that is larger
    /// than the limit goes alone. Where headers take more than half of the limit, a part may exceed it: the spans in it
    /// take no more than half. A request that keeps to the limit is returned as it is; a limit of zero means none.
    pub fn split(self, limit: SplitLimit) -> Vec<Self> {
        if limit.admits(|| self.encoded_len(), || self.span_count()) {
            return vec![self];
        }
        let frozen = self.freeze();
        let split = || -> Option<Vec<Self>> {
            let outline = Outline::traces(&frozen.bytes)?;
            split(&outline, limit).into_iter().map(|(bytes, _)| Self::outlined(bytes).ok()).collect()
        };
        split().unwrap_or_else(|| vec![frozen.clone()])
    }
}

// === impl Opaque ===

impl Opaque {
    /// As [`Traces::split`]. A metric with more points than the limit goes alone.
    pub fn split(self, limit: SplitLimit) -> Vec<Self> {
        if limit.admits(|| self.bytes().len(), || self.item_count()) {
            return vec![self];
        }
        let Some(outline) = Outline::opaque(self.signal(), self.bytes()) else { return vec![self] };
        let parts = split(&outline, limit);
        parts.into_iter().map(|(bytes, items)| Self::counted(self.signal(), bytes, items)).collect()
    }
}

// === impl SplitLimit ===

impl SplitLimit {
    fn admits(self, bytes: impl FnOnce() -> usize, items: impl FnOnce() -> usize) -> bool {
        match self {
            Self::Bytes(0) | Self::Items(0) => true,
            Self::Bytes(max) => bytes() <= max,
            Self::Items(max) => items() <= max,
        }
    }
}

fn split(outline: &Outline<'_>, limit: SplitLimit) -> Vec<(Bytes, usize)> {
    let mut splitter = Splitter {
        outline,
        limit,
        parts: vec![Part::default()],
        done: outline.rest_len(),
        resource_len: 0,
        scope_len: 0,
    };
    for (resource, group) in outline.resources.iter().enumerate() {
        splitter.open_resource(resource);
        for scope in group.children.clone() {
            splitter.open_scope(resource, scope);
            let Some(scope_group) = outline.scopes.get(scope) else { continue };
            for item in scope_group.children.clone() {
                splitter.item(resource, scope, item);
            }
            splitter.close_scope();
        }
        splitter.close_resource();
    }
    let parts = std::mem::take(&mut splitter.parts);
    parts.iter().enumerate().map(|(at, part)| (write(outline, part, at == 0), part.items)).collect()
}

// === impl Splitter ===

impl Splitter<'_> {
    fn open_resource(&mut self, resource: usize) {
        self.resource_len = self.header_len(&self.outline.resources, resource);
        let begun = self.parts.last().is_some_and(|part| !part.resources.is_empty());
        if begun && !self.fits(delimited_len(self.resource_len), 0) {
            self.next_part();
        }
        if let Some(part) = self.parts.last_mut() {
            part.resources.push(PartResource { resource, scopes: Vec::new() });
        }
    }

    fn close_resource(&mut self) {
        self.done += delimited_len(self.resource_len);
    }

    fn open_scope(&mut self, resource: usize, scope: usize) {
        self.scope_len = self.header_len(&self.outline.scopes, scope);
        let with_scope = self.resource_len + delimited_len(self.scope_len);
        if self.begun_before(|resource| !resource.scopes.is_empty()) && !self.fits(delimited_len(with_scope), 0) {
            self.next_part();
            self.repeat_resource(resource);
        }
        self.push_scope(scope, self.outline.scopes.get(scope).map_or(0, |group| group.children.start));
    }

    fn close_scope(&mut self) {
        self.resource_len += delimited_len(self.scope_len);
    }

    fn item(&mut self, resource: usize, scope: usize, item: usize) {
        let Some(found) = self.outline.items.get(item) else { return };
        let (len, count) = (found.range.len(), found.count);
        let with_item = self.resource_len + delimited_len(self.scope_len + len);
        let in_resource = |resource: &PartResource| {
            resource.scopes.len() > 1 || resource.scopes.last().is_some_and(|scope| !scope.items.is_empty())
        };
        let fits = self.fits(delimited_len(with_item), count) || self.outweighed_by_headers(resource, scope, len);
        if self.begun_before(in_resource) && !fits {
            self.next_part();
            self.repeat_resource(resource);
            self.scope_len = self.header_len(&self.outline.scopes, scope);
            self.push_scope(scope, item);
        }
        self.scope_len += len;
        let Some(part) = self.parts.last_mut() else { return };
        part.items += count;
        if let Some(open) = part.resources.last_mut().and_then(|resource| resource.scopes.last_mut()) {
            open.items.end = item + 1;
        }
    }

    /// Whether the current part holds anything beside headers that are still without contents.
    fn begun_before(&self, in_resource: impl Fn(&PartResource) -> bool) -> bool {
        let Some(part) = self.parts.last() else { return false };
        part.resources.len() > 1 || part.resources.last().is_some_and(in_resource)
    }

    /// Whether the current part keeps to the limit with an open resource of that length, tag included.
    fn fits(&self, resource_len: usize, count: usize) -> bool {
        match self.limit {
            SplitLimit::Items(max) => self.parts.last().is_none_or(|part| part.items + count <= max),
            SplitLimit::Bytes(max) => self.done + resource_len <= max,
        }
    }

    /// Whether headers take more than half of the limit, and the items beside them are still less. Repeating such headers
    /// before every item would multiply a hostile request without end; so they take the part beyond the limit instead.
    fn outweighed_by_headers(&self, resource: usize, scope: usize, len: usize) -> bool {
        let (SplitLimit::Bytes(max), Some(part)) = (self.limit, self.parts.last()) else { return false };
        let [open] = part.resources.as_slice() else { return false };
        let scope_header = self.header_len(&self.outline.scopes, scope);
        let headers = self.header_len(&self.outline.resources, resource) + scope_header;
        open.scopes.len() == 1 && headers > max / 2 && self.scope_len - scope_header + len <= max / 2
    }

    /// Begins a part. What was opened in the former one and is still without contents is taken back.
    fn next_part(&mut self) {
        if let Some(part) = self.parts.last_mut()
            && let Some(resource) = part.resources.last_mut()
        {
            let outline = self.outline;
            let is_open = |scope: &PartScope| {
                let children = outline.scopes.get(scope.scope).map_or(0, |group| group.children.len());
                children > 0 && scope.items.is_empty()
            };
            if resource.scopes.last().is_some_and(is_open) {
                resource.scopes.pop();
            }
            let children = outline.resources.get(resource.resource).map_or(0, |group| group.children.len());
            if children > 0 && resource.scopes.is_empty() {
                part.resources.pop();
            }
        }
        self.done = 0;
        self.parts.push(Part::default());
    }

    fn repeat_resource(&mut self, resource: usize) {
        self.resource_len = self.header_len(&self.outline.resources, resource);
        if let Some(part) = self.parts.last_mut() {
            part.resources.push(PartResource { resource, scopes: Vec::new() });
        }
    }

    fn push_scope(&mut self, scope: usize, first: usize) {
        if let Some(resource) = self.parts.last_mut().and_then(|part| part.resources.last_mut()) {
            resource.scopes.push(PartScope { scope, items: first..first });
        }
    }

    fn header_len(&self, groups: &[Group], at: usize) -> usize {
        groups.get(at).map_or(0, |group| group.header_len)
    }
}

fn write(outline: &Outline<'_>, part: &Part, first: bool) -> Bytes {
    let mut out = Vec::new();
    if first {
        outline.write_rest(&mut out);
    }
    let scope_len = |scope: &PartScope| {
        let header = outline.scopes.get(scope.scope).map_or(0, |group| group.header_len);
        let items = outline.items.get(scope.items.clone()).unwrap_or(&[]);
        header + items.iter().map(|item| item.range.len()).sum::<usize>()
    };
    for resource in &part.resources {
        let Some(group) = outline.resources.get(resource.resource) else { continue };
        let scopes_len: usize = resource.scopes.iter().map(|scope| delimited_len(scope_len(scope))).sum();
        open(&mut out, 0x0a, group, group.header_len + scopes_len, outline);
        for scope in &resource.scopes {
            let Some(scope_group) = outline.scopes.get(scope.scope) else { continue };
            open(&mut out, 0x12, scope_group, scope_len(scope), outline);
            for item in outline.items.get(scope.items.clone()).unwrap_or(&[]) {
                outline.copy(&item.range, &mut out);
            }
        }
    }
    Bytes::from(out)
}

/// Writes tag, length and header of a resource or a scope.
fn open(out: &mut Vec<u8>, tag: u8, group: &Group, len: usize, outline: &Outline<'_>) {
    out.push(tag);
    put_varint(out, len as u64);
    outline.write_header(group, out);
}
