//! One span: a row of `spans`.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use spanmill_otlp::{AnyValue, Attribute, Payload, Pos, SpanRef, StatusRef, ValueRef, Visitor};

use super::Encoder;
use super::beside::{push_content, push_events, push_links};
use super::builder::Cell;
use super::cells::{Hex, kind, non_empty, non_zero, optional, status};
use super::json::{Object, lossy};
use super::shared::Shared;
use crate::schema::{Kind, Origin, SPANS, billionths, is_content};
use crate::store::Owner;

const COLUMNS: usize = SPANS.len();

/// Columns of `spans` that other tables have as well.
static TENANT: LazyLock<usize> = LazyLock::new(|| column("tenant"));
static SERVICE: LazyLock<usize> = LazyLock::new(|| column("service"));

/// The columns that are not made of attributes.
static OWN: LazyLock<Vec<(usize, Origin)>> = LazyLock::new(|| {
    let origins = SPANS.iter().map(|column| column.origin).enumerate();
    let attributes = |origin: &Origin| {
        matches!(
            origin,
            Origin::Moved(_) | Origin::Seconds(_) | Origin::Amount(_) | Origin::Resource(_) | Origin::Copied(_)
        )
    };
    origins.filter(|(_, origin)| !attributes(origin)).collect()
});

/// Buffers that are used again for each span.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    attributes: Object,
    pub(super) nested: Object,
    pub(super) value: String,
}

/// What one pass over a span's fields finds.
struct Found<'a, 'e> {
    encoder: &'e mut Encoder,
    attributes: Object,
    cells: [Cell<'a>; COLUMNS],
    /// Attributes for `content`.
    content: Vec<Attribute<'a>>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent: &'a [u8],
    trace_state: &'a [u8],
    name: &'a [u8],
    start: u64,
    end: u64,
    kind: u64,
    flags: u32,
    dropped: [u64; 3],
    status: StatusRef<'a>,
    events: u32,
    links: u32,
}

/// Adds the rows of a span.
pub(super) fn push(encoder: &mut Encoder, span: SpanRef<'_>, shared: &Shared, owner: &Owner) {
    encoder.guesses.restart();
    let mut attributes = std::mem::take(&mut encoder.scratch.attributes);
    attributes.clear();
    let mut found = Found {
        encoder,
        attributes,
        cells: [Cell::Null; COLUMNS],
        content: Vec::new(),
        trace_id: &[],
        span_id: &[],
        parent: &[],
        trace_state: &[],
        name: &[],
        start: 0,
        end: 0,
        kind: 0,
        flags: 0,
        dropped: [0; 3],
        status: StatusRef::default(),
        events: 0,
        links: 0,
    };
    span.message().visit(9, &mut found);
    found.finish(span, shared, owner);
}

// === impl Found ===

impl<'a> Visitor<'a> for Found<'a, '_> {
    #[inline]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        let attribute = Attribute::read(body, pos);
        match self.encoder.keys.get_next(attribute.key, &mut self.encoder.guesses) {
            Some(slot) => self.known(attribute, usize::from(slot)),
            None => self.other(attribute),
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn field(&mut self, number: u32, payload: Payload<'a>, _pos: Pos) {
        match (number, payload) {
            (1, Payload::Bytes(id)) => self.trace_id = id,
            (2, Payload::Bytes(id)) => self.span_id = id,
            (3, Payload::Bytes(state)) => self.trace_state = state,
            (4, Payload::Bytes(id)) => self.parent = id,
            (5, Payload::Bytes(name)) => self.name = name,
            (6, Payload::Varint(kind)) => self.kind = kind,
            (7, Payload::Fixed64(time)) => self.start = time,
            (8, Payload::Fixed64(time)) => self.end = time,
            (10, Payload::Varint(count)) => self.dropped[0] = count,
            (12, Payload::Varint(count)) => self.dropped[1] = count,
            (14, Payload::Varint(count)) => self.dropped[2] = count,
            (11, Payload::Bytes(_)) => self.events += 1,
            (13, Payload::Bytes(_)) => self.links += 1,
            (15, Payload::Bytes(body)) => self.status.merge(body),
            (16, Payload::Fixed32(flags)) => self.flags = flags,
            _ => {}
        }
    }
}

impl<'a> Found<'a, '_> {
    fn known(&mut self, attribute: Attribute<'a>, slot: usize) {
        let Some((column, origin)) = self.encoder.moved.get(slot).copied() else { return self.other(attribute) };
        let Some(cell) = self.cells.get_mut(column) else { return };
        let value = attribute.value;
        let moved = matches!(cell, Cell::Null).then(|| cell_of(origin, column, value)).flatten();
        if let Some((value, _)) = moved {
            *cell = value;
        }
        if moved.is_none_or(|(_, is_all)| !is_all) || matches!(origin, Origin::Copied(_)) {
            self.other(attribute);
        }
    }

    fn other(&mut self, attribute: Attribute<'a>) {
        if attribute.value.raw().len() > self.encoder.max_attribute || is_content(attribute.key) {
            self.content.push(attribute);
        } else {
            self.attributes.put(attribute.key, attribute.value);
        }
    }

    fn finish(mut self, span: SpanRef<'_>, shared: &Shared, owner: &Owner) {
        let trace_id = Hex::<32>::new(self.trace_id);
        let span_id = Hex::<16>::new(self.span_id);
        let parent = Hex::<16>::new(self.parent);
        let name = lossy(self.name);
        let message = lossy(self.status.message);
        let trace_state = lossy(self.trace_state);
        let start = i64::try_from(self.start).unwrap_or(i64::MAX);
        let micros = Cell::Int(start / 1_000);

        let mut attributes = std::mem::take(&mut self.attributes);
        let mut cells: [Cell<'_>; COLUMNS] = self.cells;
        let rest = attributes.finish();
        for (column, origin) in OWN.iter() {
            let Some(cell) = cells.get_mut(*column) else { continue };
            *cell = match *origin {
                Origin::TraceId => Cell::Text(trace_id.text()),
                Origin::SpanId => Cell::Text(span_id.text()),
                Origin::ParentSpanId => non_empty(parent.text()),
                Origin::StartTime => micros,
                Origin::StartNanos => Cell::Int(start),
                Origin::Duration => Cell::Int(self.end.wrapping_sub(self.start) as i64),
                Origin::Name => Cell::Text(&name),
                Origin::SpanKind => Cell::Text(kind(self.kind)),
                Origin::Status => Cell::Text(status(self.status.code)),
                Origin::StatusMessage => non_empty(&message),
                Origin::TraceState => non_empty(&trace_state),
                Origin::Flags => non_zero(u64::from(self.flags)),
                Origin::DroppedAttributes => non_zero(self.dropped[0]),
                Origin::DroppedEvents => non_zero(self.dropped[1]),
                Origin::DroppedLinks => non_zero(self.dropped[2]),
                Origin::Events => non_zero(u64::from(self.events)),
                Origin::Links => non_zero(u64::from(self.links)),
                Origin::ScopeName => optional(shared.scope_name.as_deref()),
                Origin::ScopeVersion => optional(shared.scope_version.as_deref()),
                Origin::Attributes => optional(rest),
                Origin::ResourceAttributes => optional(shared.resource.as_deref()),
                Origin::ScopeAttributes => optional(shared.scope_attributes.as_deref()),
                Origin::Moved(_) | Origin::Seconds(_) | Origin::Amount(_) => continue,
                Origin::Resource(_) | Origin::Copied(_) => continue,
            };
        }
        for (column, text) in &shared.from_resource {
            if let Some(cell @ Cell::Null) = cells.get_mut(*column) {
                *cell = Cell::Text(text);
            }
        }
        if let (Owner::Known(tenant), Some(cell)) = (owner, cells.get_mut(*TENANT)) {
            *cell = optional(tenant.as_deref());
        }
        self.encoder.spans.push(&cells);

        let ids = [Cell::Text(trace_id.text()), Cell::Text(span_id.text())];
        let tenant = cells.get(*TENANT).copied().unwrap_or_default();
        if !self.content.is_empty() {
            push_content(self.encoder, &self.content, ids, micros, tenant);
        }
        if self.events > 0 {
            let service = cells.get(*SERVICE).copied().unwrap_or_default();
            push_events(self.encoder, span, ids, service, tenant);
        }
        if self.links > 0 {
            push_links(self.encoder, span, ids, micros, tenant);
        }
        self.encoder.scratch.attributes = attributes;
    }
}

/// The value in the column's type, and whether that is all of it.
fn cell_of(origin: Origin, column: usize, value: ValueRef<'_>) -> Option<(Cell<'_>, bool)> {
    let cell = match (origin, SPANS.get(column)?.column.kind, value.get()) {
        (Origin::Seconds(_) | Origin::Amount(_), _, AnyValue::Double(number)) => {
            let (whole, is_all) = billionths(number)?;
            return Some((Cell::Int(whole), is_all));
        }
        // An integer would come back as a double.
        (Origin::Seconds(_) | Origin::Amount(_), _, _) => return None,
        (_, Kind::Int, AnyValue::Int(number)) => Cell::Int(number),
        (_, Kind::Flag, AnyValue::Bool(flag)) => Cell::Flag(flag),
        (_, Kind::Word | Kind::Id | Kind::Json, AnyValue::Text(text)) => Cell::Text(std::str::from_utf8(text).ok()?),
        _ => return None,
    };
    Some((cell, true))
}

fn column(name: &str) -> usize {
    SPANS.iter().position(|column| column.column.name == name).unwrap_or(COLUMNS)
}
