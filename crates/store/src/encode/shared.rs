//! What all spans of a scope have in common, put into text once.

use spanmill_otlp::{ScopeIx, ScopeRef, ValueRef};

use super::json::Object;
use crate::schema::{Origin, SPANS};

/// What all spans of a scope have in common.
#[derive(Debug)]
pub(super) struct Shared {
    scope: ScopeIx,
    pub(super) resource: Option<String>,
    pub(super) scope_attributes: Option<String>,
    pub(super) scope_name: Option<String>,
    pub(super) scope_version: Option<String>,
    /// By column: values that the resource gives.
    pub(super) from_resource: Vec<(usize, String)>,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(scope: ScopeRef<'_>) -> Self {
        let resource = scope.resource();
        let mut object = Object::default();
        object.put_all(resource.attributes());
        if resource.dropped_attributes_count() > 0 {
            object.put_number("$dropped_attributes", u64::from(resource.dropped_attributes_count()));
        }
        if !resource.schema_url().is_empty() {
            object.put_text("$schema_url", resource.schema_url());
        }
        let resource_text = object.finish().map(str::to_owned);

        object.clear();
        object.put_all(scope.attributes());
        if scope.dropped_attributes_count() > 0 {
            object.put_number("$dropped_attributes", u64::from(scope.dropped_attributes_count()));
        }
        if !scope.schema_url().is_empty() {
            object.put_text("$schema_url", scope.schema_url());
        }
        let scope_text = object.finish().map(str::to_owned);

        let found = |names: &[&str]| names.iter().find_map(|name| text(resource.attribute(name)?));
        let from_resource = SPANS.iter().enumerate().filter_map(|(at, column)| match column.origin {
            Origin::Resource(names) | Origin::Copied(names) => Some((at, found(names)?)),
            _ => None,
        });
        Self {
            scope: scope.ix(),
            resource: resource_text,
            scope_attributes: scope_text,
            scope_name: non_empty(scope.name()),
            scope_version: non_empty(scope.version()),
            from_resource: from_resource.collect(),
        }
    }

    /// Whether it is about this scope.
    pub(super) fn is_of(&self, scope: ScopeRef<'_>) -> bool {
        self.scope == scope.ix()
    }
}

fn non_empty(text: &[u8]) -> Option<String> {
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

/// The value as text, where it is a text or a number.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value.as_int() {
        Some(number) => Some(number.to_string()),
        None => value.as_str().map(str::to_owned),
    }
}
