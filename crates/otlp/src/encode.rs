//! Splice encoding: lengths are recomputed bottom-up, and whatever was not edited is copied as one range.

use bytes::Bytes;

use crate::edit::{ARENA, Edits, ResourceIx, Rope, ScopeIx, Segment, SpanIx};
use crate::index::Entry;
use crate::traces::Traces;
use crate::wire::{delimited_len, field, put_varint};

/// What became of a part of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Untouched,
    Gone,
    /// Edited; the new length of its body.
    Edited(usize),
}

/// A request about to be written; its length is known.
pub(crate) struct Encoder<'a> {
    bytes: &'a [u8],
    /// None where nothing was edited.
    splice: Option<Splice<'a>>,
}

struct Splice<'a> {
    bytes: &'a [u8],
    traces: &'a Traces,
    edits: &'a Edits,
    scopes: Vec<Fate>,
    resources: Vec<Fate>,
}

// === impl Traces ===

impl Traces {
    /// The encoded request. Where nothing was edited these are the very bytes that came in.
    pub fn encode(&self) -> Bytes {
        if self.edits.is_none() {
            return self.bytes.clone();
        }
        let encoder = Encoder::new(self);
        let mut out = Vec::with_capacity(encoder.len());
        encoder.write(&mut out);
        Bytes::from(out)
    }

    /// Length of the encoded request in bytes.
    pub fn encoded_len(&self) -> usize {
        Encoder::new(self).len()
    }
}

// === impl Encoder ===

impl<'a> Encoder<'a> {
    pub(crate) fn new(traces: &'a Traces) -> Self {
        Self { bytes: &traces.bytes, splice: traces.edits.as_deref().map(|edits| Splice::new(traces, edits)) }
    }

    pub(crate) fn len(&self) -> usize {
        self.splice.as_ref().map_or(self.bytes.len(), Splice::len)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match &self.splice {
            None => out.extend_from_slice(self.bytes),
            Some(splice) => splice.write(out),
        }
    }
}

// === impl Splice ===

impl<'a> Splice<'a> {
    fn new(traces: &'a Traces, edits: &'a Edits) -> Self {
        let mut splice = Self { bytes: &traces.bytes, traces, edits, scopes: Vec::new(), resources: Vec::new() };
        splice.scopes = (0..traces.index.scopes.len()).map(|ix| splice.scope_fate(ScopeIx(ix as u32))).collect();
        splice.resources =
            (0..traces.index.resources.len()).map(|ix| splice.resource_fate(ResourceIx(ix as u32))).collect();
        splice
    }

    fn span_fate(&self, ix: u32) -> Fate {
        match self.edits.rope(SpanIx(ix).into()) {
            Rope::Untouched => Fate::Untouched,
            Rope::Dropped => Fate::Gone,
            Rope::Edited { bytes, .. } => Fate::Edited(bytes as usize),
        }
    }

    fn scope_fate(&self, ix: ScopeIx) -> Fate {
        let Some(scope) = self.traces.index.scopes.get(ix.0 as usize) else { return Fate::Untouched };
        let mut len = (scope.at.end - scope.at.body) as usize;
        let (mut edited, mut left) = (false, false);
        for span in scope.spans.clone() {
            let fate = self.span_fate(span);
            left |= fate != Fate::Gone;
            if fate == Fate::Untouched {
                continue;
            }
            edited = true;
            if let Some(entry) = self.traces.index.spans.get(span as usize) {
                len -= (entry.at.end - entry.at.field) as usize;
            }
            if let Fate::Edited(body) = fate {
                len += delimited_len(body);
            }
        }
        if edited && !left {
            return Fate::Gone;
        }
        if let Rope::Edited { bytes, .. } = self.edits.rope(ix.into()) {
            edited = true;
            len = len - self.field_len(scope.at, 1) + delimited_len(bytes as usize);
        }
        if let Some(url) = self.traces.schema_url(ix) {
            edited = true;
            len = len - self.field_len(scope.at, 3) + delimited_len(url.len());
        }
        if edited { Fate::Edited(len) } else { Fate::Untouched }
    }

    fn resource_fate(&self, ix: ResourceIx) -> Fate {
        let Some(resource) = self.traces.index.resources.get(ix.0 as usize) else { return Fate::Untouched };
        let mut len = (resource.at.end - resource.at.body) as usize;
        let (mut edited, mut left) = (false, false);
        for scope in resource.scopes.clone() {
            let fate = self.scopes.get(scope as usize).copied().unwrap_or(Fate::Untouched);
            left |= fate != Fate::Gone;
            if fate == Fate::Untouched {
                continue;
            }
            edited = true;
            if let Some(entry) = self.traces.index.scopes.get(scope as usize) {
                len -= (entry.at.end - entry.at.field) as usize;
            }
            if let Fate::Edited(body) = fate {
                len += delimited_len(body);
            }
        }
        if edited && !left {
            return Fate::Gone;
        }
        if let Rope::Edited { bytes, .. } = self.edits.rope(ix.into()) {
            edited = true;
            len = len - self.field_len(resource.at, 1) + delimited_len(bytes as usize);
        }
        if let Some(url) = self.traces.resource_schema_url(ix) {
            edited = true;
            len = len - self.field_len(resource.at, 3) + delimited_len(url.len());
        }
        if edited { Fate::Edited(len) } else { Fate::Untouched }
    }

    /// Bytes that all occurrences of a field take in a message.
    fn field_len(&self, at: Entry, number: u32) -> usize {
        let mut len = 0;
        self.for_each_field(at, |found, start, end| {
            if found == number {
                len += end - start;
            }
        });
        len
    }

    /// Calls back with number, start and end of each field of a message.
    fn for_each_field(&self, at: Entry, mut call: impl FnMut(u32, usize, usize)) {
        let Some(message) = self.bytes.get(..at.end as usize) else { return };
        let mut pos = at.body as usize;
        while pos < message.len() {
            let Ok(found) = field(message, pos) else { return };
            call(found.number, pos, found.end);
            pos = found.end;
        }
    }

    fn len(&self) -> usize {
        let mut len = self.bytes.len();
        for (entry, fate) in self.traces.index.resources.iter().zip(&self.resources) {
            if *fate == Fate::Untouched {
                continue;
            }
            len -= (entry.at.end - entry.at.field) as usize;
            if let Fate::Edited(body) = fate {
                len += delimited_len(*body);
            }
        }
        len
    }

    fn copy(&self, out: &mut Vec<u8>, start: usize, end: usize) {
        out.extend_from_slice(self.bytes.get(start..end).unwrap_or(&[]));
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut done = 0;
        for (ix, (entry, fate)) in self.traces.index.resources.iter().zip(&self.resources).enumerate() {
            if *fate == Fate::Untouched {
                continue;
            }
            self.copy(out, done, entry.at.field as usize);
            if let Fate::Edited(body) = fate {
                out.push(0x0a);
                put_varint(out, *body as u64);
                self.write_resource(out, ResourceIx(ix as u32));
            }
            done = entry.at.end as usize;
        }
        self.copy(out, done, self.bytes.len());
    }

    fn write_resource(&self, out: &mut Vec<u8>, ix: ResourceIx) {
        let Some(resource) = self.traces.index.resources.get(ix.0 as usize) else { return };
        let rope = self.edits.rope(ix.into());
        if let Rope::Edited { .. } = rope {
            self.write_rope(out, 0x0a, rope);
        }
        let url = self.traces.resource_schema_url(ix);
        let mut scopes = resource.scopes.clone();
        self.for_each_field(resource.at, |number, start, end| match number {
            1 if matches!(rope, Rope::Edited { .. }) => {}
            3 if url.is_some() => {}
            2 => {
                let Some(scope) = scopes.next() else { return };
                match self.scopes.get(scope as usize) {
                    Some(Fate::Gone) => {}
                    Some(Fate::Edited(body)) => {
                        out.push(0x12);
                        put_varint(out, *body as u64);
                        self.write_scope(out, ScopeIx(scope));
                    }
                    _ => self.copy(out, start, end),
                }
            }
            _ => self.copy(out, start, end),
        });
        if let Some(url) = url {
            out.push(0x1a);
            put_varint(out, url.len() as u64);
            out.extend_from_slice(url);
        }
    }

    fn write_scope(&self, out: &mut Vec<u8>, ix: ScopeIx) {
        let Some(scope) = self.traces.index.scopes.get(ix.0 as usize) else { return };
        let rope = self.edits.rope(ix.into());
        let url = self.traces.schema_url(ix);
        if matches!(rope, Rope::Edited { .. }) || url.is_some() {
            self.write_rope(out, 0x0a, rope);
            self.write_scope_fields(out, ix, matches!(rope, Rope::Edited { .. }), url.is_some());
            if let Some(url) = url {
                out.push(0x1a);
                put_varint(out, url.len() as u64);
                out.extend_from_slice(url);
            }
            return;
        }
        // Only spans changed: what lies between edited spans is one range.
        let mut done = scope.at.body as usize;
        for span in scope.spans.clone() {
            if self.span_fate(span) == Fate::Untouched {
                continue;
            }
            let Some(entry) = self.traces.index.spans.get(span as usize) else { continue };
            self.copy(out, done, entry.at.field as usize);
            self.write_rope(out, 0x12, self.edits.rope(SpanIx(span).into()));
            done = entry.at.end as usize;
        }
        self.copy(out, done, scope.at.end as usize);
    }

    fn write_scope_fields(&self, out: &mut Vec<u8>, ix: ScopeIx, skip_header: bool, skip_url: bool) {
        let Some(scope) = self.traces.index.scopes.get(ix.0 as usize) else { return };
        let mut spans = scope.spans.clone();
        self.for_each_field(scope.at, |number, start, end| match number {
            1 if skip_header => {}
            3 if skip_url => {}
            2 => {
                let Some(span) = spans.next() else { return };
                match self.edits.rope(SpanIx(span).into()) {
                    Rope::Untouched => self.copy(out, start, end),
                    rope => self.write_rope(out, 0x12, rope),
                }
            }
            _ => self.copy(out, start, end),
        });
    }

    /// Writes an edited message as a length-delimited field; nothing where it was not edited.
    fn write_rope(&self, out: &mut Vec<u8>, tag: u8, rope: Rope) {
        let Rope::Edited { first, count, bytes } = rope else { return };
        out.push(tag);
        put_varint(out, u64::from(bytes));
        for &Segment { start, end } in self.edits.segments(first, count) {
            let source = if start & ARENA == 0 { self.bytes } else { &self.edits.arena };
            out.extend_from_slice(source.get((start & !ARENA) as usize..(end & !ARENA) as usize).unwrap_or(&[]));
        }
    }
}
