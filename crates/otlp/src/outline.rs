//! The three upper levels of a request of any signal: resources, scopes, items. Made where a request is split.

use std::ops::Range;

use crate::opaque::{Signal, count, item_path};
use crate::wire::{Payload, field};

/// What a request consists of. All positions are offsets into `buf`.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    buf: &'a [u8],
    /// Fields of the request that are no resources.
    rest: Vec<Range<usize>>,
    pub(crate) resources: Vec<Group>,
    pub(crate) scopes: Vec<Group>,
    pub(crate) items: Vec<Item>,
}

/// A resource or a scope: what belongs to it, and the fields that are its header.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) children: Range<usize>,
    header: Vec<Range<usize>>,
    pub(crate) header_len: usize,
}

/// A span, a metric or a log record, tag included.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) range: Range<usize>,
    /// Spans, points or records in it.
    pub(crate) count: usize,
}

// === impl Outline ===

impl<'a> Outline<'a> {
    pub(crate) fn traces(buf: &'a [u8]) -> Option<Self> {
        Self::opaque(Signal::Traces, buf)
    }

    /// The outline of a request whose framing was checked; none where it is malformed nevertheless.
    pub(crate) fn opaque(signal: Signal, buf: &'a [u8]) -> Option<Self> {
        let mut outline = Self { buf, rest: Vec::new(), resources: Vec::new(), scopes: Vec::new(), items: Vec::new() };
        let deeper = item_path(signal).get(3..).unwrap_or(&[]);
        let mut pos = 0;
        while pos < buf.len() {
            let found = field(buf, pos).ok()?;
            match (found.number, found.payload) {
                (1, Payload::Bytes(body)) => outline.resource(found.end - body.len()..found.end, deeper)?,
                _ => outline.rest.push(pos..found.end),
            }
            pos = found.end;
        }
        Some(outline)
    }

    fn resource(&mut self, body: Range<usize>, deeper: &[&[u32]]) -> Option<()> {
        let first = self.scopes.len();
        let mut header = Vec::new();
        let message = self.buf.get(..body.end)?;
        let mut pos = body.start;
        while pos < body.end {
            let found = field(message, pos).ok()?;
            match (found.number, found.payload) {
                (2, Payload::Bytes(scope)) => self.scope(found.end - scope.len()..found.end, deeper)?,
                _ => header.push(pos..found.end),
            }
            pos = found.end;
        }
        self.resources.push(Group::new(first..self.scopes.len(), header));
        Some(())
    }

    fn scope(&mut self, body: Range<usize>, deeper: &[&[u32]]) -> Option<()> {
        let first = self.items.len();
        let mut header = Vec::new();
        let message = self.buf.get(..body.end)?;
        let mut pos = body.start;
        while pos < body.end {
            let found = field(message, pos).ok()?;
            match (found.number, found.payload) {
                (2, Payload::Bytes(item)) => {
                    self.items.push(Item { range: pos..found.end, count: count(item, 0, deeper).ok()? });
                }
                _ => header.push(pos..found.end),
            }
            pos = found.end;
        }
        self.scopes.push(Group::new(first..self.items.len(), header));
        Some(())
    }

    pub(crate) fn rest_len(&self) -> usize {
        self.rest.iter().map(Range::len).sum()
    }

    pub(crate) fn write_rest(&self, out: &mut Vec<u8>) {
        for range in &self.rest {
            self.copy(range, out);
        }
    }

    pub(crate) fn write_header(&self, group: &Group, out: &mut Vec<u8>) {
        for range in &group.header {
            self.copy(range, out);
        }
    }

    pub(crate) fn copy(&self, range: &Range<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.buf.get(range.clone()).unwrap_or(&[]));
    }
}

// === impl Group ===

impl Group {
    fn new(children: Range<usize>, header: Vec<Range<usize>>) -> Self {
        let header_len = header.iter().map(Range::len).sum();
        Self { children, header, header_len }
    }
}
