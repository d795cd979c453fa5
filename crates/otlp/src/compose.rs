//! Requests made of parts of others: spans that are grouped anew.

use bytes::Bytes;

use crate::error::{Malformed, Reason};
use crate::limits::Limits;
use crate::traces::Traces;
use crate::view::{Message, ResourceRef, ScopeRef};
use crate::wire::{delimited_len, put_field, put_varint};

/// A `ResourceSpans` to be written.
#[derive(Debug, Clone, Default)]
pub struct ResourceParts<'a> {
    /// Its encoded fields without the scopes, as [`ResourceRef::header`] gives them.
    pub header: &'a [u8],
    /// Its scopes.
    pub scopes: Vec<ScopeParts<'a>>,
}

/// A `ScopeSpans` to be written.
#[derive(Debug, Clone, Default)]
pub struct ScopeParts<'a> {
    /// Its encoded fields without the spans, as [`ScopeRef::header`] gives them.
    pub header: &'a [u8],
    /// Its spans, of any request.
    pub spans: Vec<Message<'a>>,
}

// === impl Traces ===

impl Traces {
    /// One request of these parts, which are copied as they are.
    ///
    /// # Errors
    ///
    /// Fails where the result would be larger than `max_bytes`, before any of it is written.
    pub fn compose(resources: &[ResourceParts<'_>], max_bytes: usize) -> Result<Self, Malformed> {
        let max_bytes = max_bytes.min(Limits::default().max_bytes);
        let lens: Vec<usize> = resources.iter().map(ResourceParts::len).collect();
        let len = lens.iter().fold(0usize, |sum, len| sum.saturating_add(delimited_len(*len)));
        if len > max_bytes {
            return Err(Malformed::new(max_bytes, Reason::TooLarge));
        }
        let mut out = Vec::with_capacity(len);
        for (resource, len) in resources.iter().zip(lens) {
            open(&mut out, 0x0a, len);
            out.extend_from_slice(resource.header);
            for scope in &resource.scopes {
                open(&mut out, 0x12, scope.len());
                out.extend_from_slice(scope.header);
                for span in &scope.spans {
                    open(&mut out, 0x12, span.len());
                    span.put(&mut out);
                }
            }
        }
        Self::outlined(Bytes::from(out))
    }
}

fn open(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.push(tag);
    put_varint(out, len as u64);
}

// === impl ResourceParts ===

impl ResourceParts<'_> {
    fn len(&self) -> usize {
        self.scopes.iter().fold(self.header.len(), |sum, scope| sum.saturating_add(delimited_len(scope.len())))
    }
}

// === impl ScopeParts ===

impl ScopeParts<'_> {
    fn len(&self) -> usize {
        self.spans.iter().fold(self.header.len(), |sum, span| sum.saturating_add(delimited_len(span.len())))
    }
}

// === impl ResourceRef ===

impl ResourceRef<'_> {
    /// All of its `ResourceSpans` but the scopes, encoded: the resource, the schema URL, and fields that are not known here.
    pub fn header(&self) -> Vec<u8> {
        header(self.message(), self.whole(), &[])
    }
}

// === impl ScopeRef ===

impl ScopeRef<'_> {
    /// All of its `ScopeSpans` but the spans, encoded: the scope, the schema URL, and fields that are not known here.
    pub fn header(&self) -> Vec<u8> {
        header(self.message(), self.whole(), self.schema_url())
    }
}

/// The head of a message of the upper levels, as it is now: field 1 is `head`, 2 are the children, 3 is the schema URL.
fn header(head: Message<'_>, whole: Message<'_>, url: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if head.len() > 0 {
        open(&mut out, 0x0a, head.len());
        head.put(&mut out);
    }
    if !url.is_empty() {
        put_field(&mut out, 3, crate::wire::Payload::Bytes(url));
    }
    for field in whole.fields() {
        match field.number {
            1 | 2 => {}
            3 if !url.is_empty() => {}
            number => put_field(&mut out, number, field.payload),
        }
    }
    out
}
