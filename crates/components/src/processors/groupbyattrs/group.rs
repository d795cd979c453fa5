//! Grouping the spans of a request anew.

use std::collections::HashMap;

use spanmill_otlp::{
    Attribute, KeyTable, Part, Patch, Payload, ResourceParts, ResourceRef, ScopeParts, ScopeRef, SpanIx, Traces, Value,
    ValueRef, put_field, put_key_value,
};
use thiserror::Error;

use crate::processors::actions::sheet::{Reader, Sheet};
use crate::processors::identity;

/// The attributes by which spans are grouped.
#[derive(Debug)]
pub(super) struct Grouping {
    keys: Vec<String>,
    table: KeyTable,
}

/// What was done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Spans that had attributes to be moved.
    pub(super) moved: usize,
    /// Resources that there are now.
    pub(super) groups: usize,
}

/// A request whose resources would be repeated too often.
#[derive(Debug, Error)]
#[error("grouping these spans would repeat attributes of their resources beyond {0} bytes")]
pub(super) struct TooLarge(usize);

/// A request that is being grouped: what groups there are, and how they are found again.
#[derive(Default)]
struct Groups<'a> {
    groups: Vec<Group>,
    /// By a resource that came in and the values that a span adds to it.
    by_origin: HashMap<Vec<u8>, usize>,
    /// By what the attributes of the resource become.
    by_attributes: HashMap<Vec<u8>, usize>,
    /// By group, name and version: where the scope stands in its group.
    by_scope: HashMap<(usize, &'a [u8], &'a [u8]), usize>,
    /// Encoded size of all headers.
    bytes: usize,
}

/// A resource of the result.
struct Group {
    header: Vec<u8>,
    scopes: Vec<Scope>,
}

struct Scope {
    header: Vec<u8>,
    spans: Vec<SpanIx>,
}

/// How large a result may become: what is left of small requests is bounded by the first, what is made of large ones by the second.
const MOST_BYTES: usize = 64 << 20;
const MOST_GROWTH: usize = 8;

// === impl Grouping ===

impl Grouping {
    pub(super) fn new(keys: Vec<String>) -> Self {
        Self { table: KeyTable::new(&keys), keys }
    }

    /// Moves attributes to resources, and puts together what has the same resource and scope. As in the Collector, a resource consists of
    /// its attributes and nothing else afterwards.
    pub(super) fn group(&self, mut traces: Traces) -> Result<(Traces, Tally), TooLarge> {
        let most = MOST_BYTES.max(traces.encoded_len().saturating_mul(MOST_GROWTH));
        // Shares the bytes: what is read stays while attributes are cut.
        let before = traces.clone();
        let mut groups = Groups::default();
        let mut reader = Reader::new(Part::Span, false);
        let (mut origin, mut patch, mut moved) = (Vec::new(), Patch::new(Part::Span), 0);
        for resource in before.resources() {
            for scope in resource.scopes() {
                for span in scope.spans() {
                    let mut sheet = reader.read(&self.table, span.message());
                    let group =
                        groups.find(self.origin(&mut origin, resource, &sheet), || self.resource(resource, &sheet));
                    groups.add(group, scope, span.ix());
                    if groups.bytes > most {
                        return Err(TooLarge(most));
                    }
                    for slot in 0..self.keys.len() {
                        sheet.remove(slot as u16);
                    }
                    patch.clear();
                    sheet.write(&self.keys, &mut patch);
                    moved += usize::from(!patch.is_empty());
                    traces.apply(span.ix(), &patch);
                    reader.take_back(sheet);
                }
            }
        }
        let grouped = groups.compose(&traces, most)?;
        Ok((grouped, Tally { moved, groups: groups.groups.len() }))
    }

    /// Which resource a span is of, and what it adds to that.
    fn origin<'o>(&self, origin: &'o mut Vec<u8>, resource: ResourceRef<'_>, sheet: &Sheet<'_>) -> &'o [u8] {
        origin.clear();
        origin.extend_from_slice(&resource.ix().ordinal().to_le_bytes());
        for slot in 0..self.keys.len() {
            let value = sheet.value(slot as u16);
            origin.push(u8::from(value.is_some()));
            let raw = value.map_or(&[][..], ValueRef::raw);
            origin.extend_from_slice(&raw.len().to_le_bytes());
            origin.extend_from_slice(raw);
        }
        origin
    }

    /// The attributes of a resource with those that a span adds: their canonical form, and encoded as header of a group.
    fn resource(&self, resource: ResourceRef<'_>, sheet: &Sheet<'_>) -> (Vec<u8>, Vec<u8>) {
        let moved = || self.keys.iter().enumerate().filter_map(|(slot, key)| Some((key, sheet.value(slot as u16)?)));
        let is_moved = |key: &[u8]| self.table.get(key).is_some_and(|slot| sheet.has(slot));
        let mut attributes = Vec::new();
        for field in resource.message().fields() {
            if let (1, Payload::Bytes(body)) = (field.number, field.payload)
                && !is_moved(Attribute::read(body, field.pos).key)
            {
                put_field(&mut attributes, 1, Payload::Bytes(body));
            }
        }
        for (key, value) in moved() {
            put_key_value(&mut attributes, 0x0a, key, &Value::Raw(value.raw()));
        }
        let kept = resource.attributes().map(|found| (found.key, found.value)).filter(|(key, _)| !is_moved(key));
        let moved = moved().map(|(key, value)| (key.as_bytes(), value));
        let mut form = Vec::new();
        identity::put_entries(&mut form, kept.chain(moved));
        (form, field_of(&attributes))
    }
}

/// A message as field 1 of another one; nothing where it is empty.
fn field_of(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if !message.is_empty() {
        put_field(&mut out, 1, Payload::Bytes(message));
    }
    out
}

// === impl Groups ===

impl<'a> Groups<'a> {
    /// The group of an origin; `resource` gives form and header of its resource.
    fn find(&mut self, origin: &[u8], resource: impl FnOnce() -> (Vec<u8>, Vec<u8>)) -> usize {
        if let Some(known) = self.by_origin.get(origin) {
            return *known;
        }
        let (form, header) = resource();
        self.bytes += origin.len() + form.len();
        let group = *self.by_attributes.entry(form).or_insert_with(|| {
            self.bytes += header.len();
            self.groups.push(Group { header, scopes: Vec::new() });
            self.groups.len() - 1
        });
        self.by_origin.insert(origin.to_vec(), group);
        group
    }

    /// Adds a span to the group, under a scope of that name and version. Where scopes differ in other things the first one counts.
    fn add(&mut self, group: usize, scope: ScopeRef<'a>, span: SpanIx) {
        let Self { groups, by_scope, bytes, .. } = self;
        let Some(found) = groups.get_mut(group) else { return };
        let at = *by_scope.entry((group, scope.name(), scope.version())).or_insert_with(|| {
            let header = field_of(&scope.message().to_vec());
            *bytes += header.len();
            found.scopes.push(Scope { header, spans: Vec::new() });
            found.scopes.len() - 1
        });
        if let Some(scope) = found.scopes.get_mut(at) {
            scope.spans.push(span);
        }
    }

    fn compose(&self, traces: &Traces, most: usize) -> Result<Traces, TooLarge> {
        let parts: Vec<ResourceParts<'_>> = self.groups.iter().map(|group| group.parts(traces)).collect();
        Traces::compose(&parts, most).map_err(|_| TooLarge(most))
    }
}

// === impl Group ===

impl Group {
    fn parts<'g>(&'g self, traces: &'g Traces) -> ResourceParts<'g> {
        let message = |ix: &SpanIx| traces.span(*ix).map(|span| span.message());
        let scopes = self
            .scopes
            .iter()
            .map(|scope| ScopeParts { header: &scope.header, spans: scope.spans.iter().filter_map(message).collect() });
        ResourceParts { header: &self.header, scopes: scopes.collect() }
    }
}
