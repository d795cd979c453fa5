use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::edit::{ARENA, Edits, ResourceIx, Rope, ScopeIx, SpanIx, Target};
use crate::error::Malformed;
use crate::index::{Index, Span32};
use crate::limits::Limits;
use crate::patch::{Changes, Part, Patch};
use crate::value::Value;
use crate::view::{Message, ResourceRef, ScopeRef, SpanRef};
use crate::wire::{put_delimited, put_varint};

/// A traces request: shared bytes, an index, and edits. Cloning an unedited one costs two reference counts;
/// [`Traces::freeze`] makes it so.
#[derive(Debug, Clone)]
pub struct Traces {
    pub(crate) bytes: Bytes,
    pub(crate) index: Arc<Index>,
    pub(crate) edits: Option<Box<Edits>>,
}

// === impl Traces ===

impl Traces {
    /// Checks the framing of an encoded `ExportTraceServiceRequest` down to every attribute value and indexes it.
    pub fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        Self::parse_with(bytes, &Limits::default())
    }

    /// As [`Traces::parse`], with other limits.
    pub fn parse_with(bytes: Bytes, limits: &Limits) -> Result<Self, Malformed> {
        let index = Arc::new(Index::scan(&bytes, limits)?);
        Ok(Self { bytes, index, edits: None })
    }

    /// How many spans there are, without the dropped ones.
    pub fn span_count(&self) -> usize {
        self.index.spans.len() - self.edits.as_ref().map_or(0, |edits| edits.dropped_spans)
    }

    /// Whether there is any edit.
    pub fn is_edited(&self) -> bool {
        self.edits.is_some()
    }

    /// The resources.
    pub fn resources(&self) -> impl Iterator<Item = ResourceRef<'_>> {
        (0..self.index.resources.len()).map(|ix| ResourceRef::new(self, ResourceIx(ix as u32)))
    }

    /// The scopes of all resources.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeRef<'_>> {
        (0..self.index.scopes.len()).map(|ix| ScopeRef::new(self, ScopeIx(ix as u32)))
    }

    /// All spans, without the dropped ones.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef<'_>> {
        self.span_ixs().filter_map(|ix| self.span(ix))
    }

    /// The ordinals of all spans, the dropped ones included. Unlike [`Traces::spans`] it borrows nothing, so a loop over
    /// it may edit.
    pub fn span_ixs(&self) -> impl Iterator<Item = SpanIx> + use<> {
        (0..self.index.spans.len() as u32).map(SpanIx)
    }

    /// A span; none where it was dropped or is not of this request.
    pub fn span(&self, ix: SpanIx) -> Option<SpanRef<'_>> {
        let entry = self.index.spans.get(ix.0 as usize)?.at;
        let message = match &self.edits {
            None => Message::one(&self.bytes, entry.body, entry.end),
            Some(edits) => match edits.rope(ix.into()) {
                Rope::Dropped => return None,
                Rope::Untouched => Message::one(&self.bytes, entry.body, entry.end),
                Rope::Edited { first, count, .. } => {
                    Message::rope(&self.bytes, &edits.arena, edits.segments(first, count))
                }
            },
        };
        Some(SpanRef::new(self, ix, message))
    }

    /// The resource with that ordinal.
    pub fn resource(&self, ix: ResourceIx) -> Option<ResourceRef<'_>> {
        self.index.resources.get(ix.0 as usize).map(|_| ResourceRef::new(self, ix))
    }

    /// The scope with that ordinal.
    pub fn scope(&self, ix: ScopeIx) -> Option<ScopeRef<'_>> {
        self.index.scopes.get(ix.0 as usize).map(|_| ScopeRef::new(self, ix))
    }

    /// Applies a patch to a resource, a scope or a span. Dropped and unknown targets stay as they are.
    pub fn apply(&mut self, target: impl Into<Target>, patch: &Patch) {
        if !patch.is_empty() {
            self.apply_changes(target.into(), patch.changes());
        }
    }

    pub(crate) fn apply_changes(&mut self, target: Target, changes: Changes<'_>) {
        let one;
        let index = &self.index;
        let original: &[Span32] = match target {
            Target::Span(ix) => {
                let Some(entry) = index.spans.get(ix.0 as usize) else { return };
                one = [(entry.at.body, entry.at.end)];
                &one
            }
            Target::Scope(ix) => {
                let Some(entry) = index.scopes.get(ix.0 as usize) else { return };
                parts(index, &entry.header)
            }
            Target::Resource(ix) => {
                let Some(entry) = index.resources.get(ix.0 as usize) else { return };
                parts(index, &entry.header)
            }
        };
        self.edits.get_or_insert_default().apply(target, original, changes);
    }

    /// Replaces the whole message of a part that there is.
    pub(crate) fn replace_whole(&mut self, target: Target, message: &[u8]) {
        let known = match target {
            Target::Span(ix) => (ix.0 as usize) < self.index.spans.len(),
            Target::Scope(ix) => (ix.0 as usize) < self.index.scopes.len(),
            Target::Resource(ix) => (ix.0 as usize) < self.index.resources.len(),
        };
        if known {
            self.edits.get_or_insert_default().replace(target, message);
        }
    }

    /// Makes room for edits of that many more spans, each of about so many bytes: growing bit by bit copies them again and again.
    pub fn reserve_edits(&mut self, spans: usize, bytes: usize) {
        // Who asks for more than there are spans is not believed.
        let spans = spans.min(self.index.spans.len());
        let edits = self.edits.get_or_insert_default();
        edits.spans.reserve(self.index.spans.len().saturating_sub(edits.spans.len()));
        edits.pool.reserve(spans * 2);
        edits.arena.reserve(spans.saturating_mul(bytes).min(ARENA as usize));
    }

    /// Sets an attribute; where the key is there already, its first occurrence is replaced and others are removed.
    pub fn set_attribute(&mut self, target: impl Into<Target>, key: &str, value: Value<'_>) {
        let target = target.into();
        let part = part_of(target);
        let mut patch = Patch::new(part);
        for found in self.message(target).attributes(part.attributes()) {
            if found.key == key.as_bytes() {
                if patch.cuts.is_empty() { patch.replace(found.pos, key, value) } else { patch.cut(found.pos) }
            }
        }
        if patch.is_empty() {
            patch.append(key, value);
        }
        self.apply(target, &patch);
    }

    /// Removes an attribute, all its occurrences; says whether there was one. `dropped_attributes_count` stays: it tells
    /// what the sender dropped.
    pub fn remove_attribute(&mut self, target: impl Into<Target>, key: &str) -> bool {
        let target = target.into();
        let part = part_of(target);
        let mut patch = Patch::new(part);
        for found in self.message(target).attributes(part.attributes()) {
            if found.key == key.as_bytes() {
                patch.cut(found.pos);
            }
        }
        self.apply(target, &patch);
        !patch.is_empty()
    }

    /// Sets the name of a span.
    pub fn set_name(&mut self, ix: SpanIx, name: &str) {
        let mut patch = self.cutting(ix, 5);
        patch.append_bytes(5, name.as_bytes());
        self.apply(ix, &patch);
    }

    /// Sets the status of a span: 0 unset, 1 ok, 2 error. Unknown fields of the former status go with it.
    pub fn set_status(&mut self, ix: SpanIx, code: i32, message: &str) {
        let mut status = Vec::with_capacity(message.len() + 8);
        if !message.is_empty() {
            put_delimited(&mut status, 0x12, message.as_bytes());
        }
        if code != 0 {
            status.push(0x18);
            put_varint(&mut status, i64::from(code) as u64);
        }
        let mut patch = self.cutting(ix, 15);
        patch.append_bytes(15, &status);
        self.apply(ix, &patch);
    }

    /// A patch that cuts all occurrences of a field of a span.
    fn cutting(&self, ix: SpanIx, number: u32) -> Patch {
        let mut patch = Patch::new(Part::Span);
        for field in self.message(ix.into()).fields().filter(|field| field.number == number) {
            patch.cut(field.pos);
        }
        patch
    }

    /// Drops a span. Scopes and resources that lose all their spans disappear with them.
    pub fn drop_span(&mut self, ix: SpanIx) {
        if ix.0 as usize >= self.index.spans.len() {
            return;
        }
        let edits = self.edits.get_or_insert_default();
        if edits.rope(ix.into()) != Rope::Dropped {
            edits.set_rope(ix.into(), Rope::Dropped);
            edits.dropped_spans += 1;
        }
    }

    /// Sets the schema URL of a scope's spans.
    pub fn set_schema_url(&mut self, ix: ScopeIx, url: &str) {
        if (ix.0 as usize) < self.index.scopes.len() {
            let edits = self.edits.get_or_insert_default();
            if let Some(range) = edits.put(url.as_bytes()) {
                set_url(&mut edits.schema_urls, ix, range);
            }
        }
    }

    /// Sets the schema URL of a resource.
    pub fn set_resource_schema_url(&mut self, ix: ResourceIx, url: &str) {
        if (ix.0 as usize) < self.index.resources.len() {
            let edits = self.edits.get_or_insert_default();
            if let Some(range) = edits.put(url.as_bytes()) {
                set_url(&mut edits.resource_schema_urls, ix, range);
            }
        }
    }

    /// Writes the edits into new bytes, so that clones share them. Costs nothing where there are none.
    pub fn freeze(self) -> Self {
        if self.edits.is_none() {
            return self;
        }
        // What we encode from a checked request is itself valid; should it not be, the edited form is still right.
        match Self::outlined(self.encode()) {
            Ok(frozen) => frozen,
            Err(_) => self,
        }
    }

    /// Indexes bytes that were put together from checked parts.
    pub(crate) fn outlined(bytes: Bytes) -> Result<Self, Malformed> {
        let index = Arc::new(Index::outline(&bytes)?);
        Ok(Self { bytes, index, edits: None })
    }

    pub(crate) fn message(&self, target: Target) -> Message<'_> {
        if let Some(edits) = &self.edits
            && let Rope::Edited { first, count, .. } = edits.rope(target)
        {
            return Message::rope(&self.bytes, &edits.arena, edits.segments(first, count));
        }
        let header = match target {
            Target::Span(ix) => {
                let entry = self.index.spans.get(ix.0 as usize).map(|span| span.at);
                return entry.map_or(Message::standalone(&[]), |at| Message::one(&self.bytes, at.body, at.end));
            }
            Target::Scope(ix) => self.index.scopes.get(ix.0 as usize).map(|scope| &scope.header),
            Target::Resource(ix) => self.index.resources.get(ix.0 as usize).map(|resource| &resource.header),
        };
        header.map_or(Message::standalone(&[]), |header| Message::parts(&self.bytes, parts(&self.index, header)))
    }

    /// The whole `ResourceSpans` as received.
    pub(crate) fn resource_spans(&self, ix: ResourceIx) -> Message<'_> {
        let entry = self.index.resources.get(ix.0 as usize).map(|resource| resource.at);
        entry.map_or(Message::standalone(&[]), |at| Message::one(&self.bytes, at.body, at.end))
    }

    /// The whole `ScopeSpans` as received.
    pub(crate) fn scope_spans(&self, ix: ScopeIx) -> Message<'_> {
        let entry = self.index.scopes.get(ix.0 as usize).map(|scope| scope.at);
        entry.map_or(Message::standalone(&[]), |at| Message::one(&self.bytes, at.body, at.end))
    }

    /// The schema URL that was set on a scope.
    pub(crate) fn schema_url(&self, ix: ScopeIx) -> Option<&[u8]> {
        let edits = self.edits.as_ref()?;
        url(&edits.arena, &edits.schema_urls, ix)
    }

    /// The schema URL that was set on a resource.
    pub(crate) fn resource_schema_url(&self, ix: ResourceIx) -> Option<&[u8]> {
        let edits = self.edits.as_ref()?;
        url(&edits.arena, &edits.resource_schema_urls, ix)
    }

    pub(crate) fn scope_range(&self, ix: ResourceIx) -> Range<u32> {
        self.index.resources.get(ix.0 as usize).map_or(0..0, |resource| resource.scopes.clone())
    }

    pub(crate) fn span_range(&self, ix: ScopeIx) -> Range<u32> {
        self.index.scopes.get(ix.0 as usize).map_or(0..0, |scope| scope.spans.clone())
    }

    pub(crate) fn scope_of(&self, ix: SpanIx) -> ScopeIx {
        ScopeIx(self.index.spans.get(ix.0 as usize).map_or(0, |span| span.scope))
    }

    pub(crate) fn resource_of(&self, ix: ScopeIx) -> ResourceIx {
        ResourceIx(self.index.scopes.get(ix.0 as usize).map_or(0, |scope| scope.resource))
    }
}

fn parts<'a>(index: &'a Index, header: &Range<u32>) -> &'a [Span32] {
    index.parts.get(header.start as usize..header.end as usize).unwrap_or(&[])
}

/// Notes the schema URL of a part, a range of the arena. They are few and mostly set in order.
fn set_url<I: Ord + Copy>(urls: &mut Vec<(I, Span32)>, ix: I, range: Span32) {
    match urls.binary_search_by_key(&ix, |(known, _)| *known) {
        Ok(at) => {
            if let Some(url) = urls.get_mut(at) {
                url.1 = range;
            }
        }
        Err(at) => urls.insert(at, (ix, range)),
    }
}

fn url<'a, I: Ord + Copy>(arena: &'a [u8], urls: &[(I, Span32)], ix: I) -> Option<&'a [u8]> {
    let at = urls.binary_search_by_key(&ix, |(known, _)| *known).ok()?;
    let (_, (start, end)) = urls.get(at)?;
    arena.get(*start as usize..*end as usize)
}

fn part_of(target: Target) -> Part {
    match target {
        Target::Resource(_) => Part::Resource,
        Target::Scope(_) => Part::Scope,
        Target::Span(_) => Part::Span,
    }
}
