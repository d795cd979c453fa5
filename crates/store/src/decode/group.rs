//! Spans under their scopes and resources.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::DecodeError;
use super::json::Attributes;

/// What a span's resource and scope are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SpanOrigin<'a> {
    pub(super) resource: Option<&'a str>,
    pub(super) scope_name: Option<&'a str>,
    pub(super) scope_version: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
}

/// Resources and scopes in the order in which their first spans came.
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    groups: Vec<ResourceSpans>,
    resources: HashMap<Option<&'a str>, usize>,
    scopes: HashMap<SpanOrigin<'a>, (usize, usize)>,
}

// === impl Groups ===

impl<'a> Groups<'a> {
    pub(super) fn push(&mut self, origin: SpanOrigin<'a>, span: Span) -> Result<(), DecodeError> {
        let (resource, scope) = match self.scopes.get(&origin) {
            Some(known) => *known,
            None => self.open(origin)?,
        };
        if let Some(scope) = self.groups.get_mut(resource).and_then(|group| group.scope_spans.get_mut(scope)) {
            scope.spans.push(span);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<ResourceSpans> {
        self.groups
    }

    fn open(&mut self, origin: SpanOrigin<'a>) -> Result<(usize, usize), DecodeError> {
        let resource = match self.resources.get(&origin.resource) {
            Some(known) => *known,
            None => {
                self.groups.push(resource(origin)?);
                self.resources.insert(origin.resource, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        let mut at = (resource, 0);
        if let Some(group) = self.groups.get_mut(resource) {
            at.1 = group.scope_spans.len();
            group.scope_spans.push(scope(origin)?);
        }
        self.scopes.insert(origin, at);
        Ok(at)
    }
}

fn resource(origin: SpanOrigin<'_>) -> Result<ResourceSpans, DecodeError> {
    let Attributes { attributes, dropped, schema_url } = Attributes::read(origin.resource)?;
    let resource = Resource { attributes, dropped_attributes_count: dropped, entity_refs: Vec::new() };
    Ok(ResourceSpans { resource: present(resource), scope_spans: Vec::new(), schema_url })
}

fn scope(origin: SpanOrigin<'_>) -> Result<ScopeSpans, DecodeError> {
    let Attributes { attributes, dropped, schema_url } = Attributes::read(origin.scope)?;
    let scope = InstrumentationScope {
        name: origin.scope_name.unwrap_or_default().to_owned(),
        version: origin.scope_version.unwrap_or_default().to_owned(),
        attributes,
        dropped_attributes_count: dropped,
    };
    Ok(ScopeSpans { scope: present(scope), spans: Vec::new(), schema_url })
}

/// A message that says nothing is not there.
pub(super) fn present<T: Default + PartialEq>(message: T) -> Option<T> {
    (message != T::default()).then_some(message)
}
