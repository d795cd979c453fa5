//! Resources and scopes.

use super::attribute::Attributes;
use super::message::Message;
use super::span::SpanRef;
use super::value::ValueRef;
use crate::edit::{ResourceIx, ScopeIx, SpanIx};
use crate::traces::Traces;

/// A resource and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct ResourceRef<'a> {
    traces: &'a Traces,
    ix: ResourceIx,
}

/// A scope and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct ScopeRef<'a> {
    traces: &'a Traces,
    ix: ScopeIx,
}

// === impl ResourceRef ===

impl<'a> ResourceRef<'a> {
    pub(crate) fn new(traces: &'a Traces, ix: ResourceIx) -> Self {
        Self { traces, ix }
    }

    /// Its ordinal.
    pub fn ix(&self) -> ResourceIx {
        self.ix
    }

    /// The `Resource` message.
    pub fn message(&self) -> Message<'a> {
        self.traces.message(self.ix.into())
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message().attributes(1)
    }

    /// The value of an attribute; the first one where the key is repeated.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message().varint(2) as u32
    }

    /// The schema URL of the resource.
    pub fn schema_url(&self) -> &'a [u8] {
        self.traces.resource_schema_url(self.ix).unwrap_or_else(|| self.whole().bytes(3))
    }

    /// The whole `ResourceSpans` as received.
    pub(crate) fn whole(&self) -> Message<'a> {
        self.traces.resource_spans(self.ix)
    }

    /// Its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeRef<'a>> + use<'a> {
        let traces = self.traces;
        traces.scope_range(self.ix).map(move |ix| ScopeRef { traces, ix: ScopeIx(ix) })
    }
}

// === impl ScopeRef ===

impl<'a> ScopeRef<'a> {
    pub(crate) fn new(traces: &'a Traces, ix: ScopeIx) -> Self {
        Self { traces, ix }
    }

    /// Its ordinal.
    pub fn ix(&self) -> ScopeIx {
        self.ix
    }

    /// The `InstrumentationScope` message.
    pub fn message(&self) -> Message<'a> {
        self.traces.message(self.ix.into())
    }

    /// Its name, as found.
    pub fn name(&self) -> &'a [u8] {
        self.message().bytes(1)
    }

    /// Its version, as found.
    pub fn version(&self) -> &'a [u8] {
        self.message().bytes(2)
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        self.message().attributes(3)
    }

    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|found| found.key == key.as_bytes()).map(|found| found.value)
    }

    /// How many attributes the sender dropped.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.message().varint(4) as u32
    }

    /// The schema URL of its spans.
    pub fn schema_url(&self) -> &'a [u8] {
        self.traces.schema_url(self.ix).unwrap_or_else(|| self.whole().bytes(3))
    }

    /// The whole `ScopeSpans` as received.
    pub(crate) fn whole(&self) -> Message<'a> {
        self.traces.scope_spans(self.ix)
    }

    /// The resource it belongs to.
    pub fn resource(&self) -> ResourceRef<'a> {
        ResourceRef::new(self.traces, self.traces.resource_of(self.ix))
    }

    /// Its spans, without the dropped ones.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef<'a>> + use<'a> {
        let traces = self.traces;
        traces.span_range(self.ix).filter_map(move |ix| traces.span(SpanIx(ix)))
    }
}
