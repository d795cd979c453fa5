//! What is read of a span, in one pass.

use std::ops::ControlFlow;

use spanmill_otlp::{Attribute, Attributes, Payload, Pos, SpanRef, StatusRef, ValueRef, Visitor};

use super::plan::Plan;

/// Field number of a span's attributes.
const ATTRIBUTES: u32 = 9;

/// A span's fields, and its attributes by slot.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    pub(super) trace_id: &'a [u8],
    pub(super) span_id: &'a [u8],
    pub(super) trace_state: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) kind: i32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) status: StatusRef<'a>,
    pub(super) values: Vec<Option<ValueRef<'a>>>,
    /// All attributes, where patterns have to see them.
    pub(super) attributes: Vec<(&'a [u8], ValueRef<'a>)>,
}

/// Where attributes are looked for: in the span, then in its resource, or in one of its events and then in the resource.
#[derive(Clone, Copy)]
pub(super) struct Found<'f, 'a> {
    pub(super) span: &'f Span<'a>,
    pub(super) other_values: &'f [Option<ValueRef<'a>>],
    pub(super) other_attributes: &'f [(&'a [u8], ValueRef<'a>)],
}

/// Reads spans, one after the other.
#[derive(Debug)]
pub(super) struct Reader<'p, 'a> {
    plan: &'p Plan,
    /// How many attributes were not found yet.
    missing: usize,
    pub(super) span: Span<'a>,
}

// === impl Reader ===

impl<'p, 'a> Reader<'p, 'a> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        Self { plan, missing: 0, span: Span::default() }
    }

    #[inline]
    pub(super) fn read(&mut self, span: SpanRef<'a>) {
        let mut values = std::mem::take(&mut self.span.values);
        let mut attributes = std::mem::take(&mut self.span.attributes);
        values.clear();
        values.resize(self.plan.keys.len(), None);
        attributes.clear();
        self.span = Span { values, attributes, ..Span::default() };
        self.missing = self.plan.keys.len();
        span.message().visit(ATTRIBUTES, self);
    }
}

impl<'a> Visitor<'a> for Reader<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        if self.missing > 0 || self.plan.all_attributes {
            let Attribute { key, value, .. } = Attribute::read(body, pos);
            if let Some(slot) = self.plan.keys.slot(key)
                && let Some(kept @ None) = self.span.values.get_mut(usize::from(slot))
            {
                *kept = Some(value);
                self.missing -= 1;
            }
            if self.plan.all_attributes {
                self.span.attributes.push((key, value));
            }
        }
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn field(&mut self, number: u32, payload: Payload<'a>, _: Pos) {
        let span = &mut self.span;
        match (number, payload) {
            (1, Payload::Bytes(id)) => span.trace_id = id,
            (2, Payload::Bytes(id)) => span.span_id = id,
            (3, Payload::Bytes(state)) => span.trace_state = state,
            (5, Payload::Bytes(name)) => span.name = name,
            (6, Payload::Varint(kind)) => span.kind = kind as i32,
            (7, Payload::Fixed64(start)) => span.start = start,
            (8, Payload::Fixed64(end)) => span.end = end,
            (15, Payload::Bytes(status)) => span.status.merge(status),
            _ => {}
        }
    }
}

/// Puts attributes of a resource or an event over those that are there. `first` says which counts where a key is repeated; of the
/// list of all attributes it is always the first.
pub(super) fn overlay<'a>(
    plan: &Plan,
    found: Attributes<'a>,
    first: bool,
    values: &mut Vec<Option<ValueRef<'a>>>,
    attributes: &mut Vec<(&'a [u8], ValueRef<'a>)>,
) {
    values.resize(plan.keys.len(), None);
    for Attribute { key, value, .. } in found {
        if let Some(kept) = plan.keys.slot(key).and_then(|slot| values.get_mut(usize::from(slot)))
            && (!first || kept.is_none())
        {
            *kept = Some(value);
        }
        if plan.all_attributes {
            attributes.push((key, value));
        }
    }
    if !first {
        attributes.reverse();
    }
}
