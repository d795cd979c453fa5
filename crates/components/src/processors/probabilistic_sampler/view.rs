use std::ops::ControlFlow;

use spanmill_otlp::{Attribute, Patch, Payload, Pos, SpanRef, Visitor};

use super::priority::Priority;

/// What a decision needs of a span, gathered in one pass. Where the trace state lies is cut out by the patch.
pub(super) struct View<'a> {
    pub(super) trace_id: Option<[u8; 16]>,
    pub(super) trace_state: &'a [u8],
    pub(super) priority: Priority,
}

struct Gather<'a, 'p> {
    view: View<'a>,
    has_priority: bool,
    patch: &'p mut Patch,
}

// === impl View ===

impl<'a> View<'a> {
    pub(super) fn of(span: SpanRef<'a>, patch: &mut Patch) -> Self {
        let view = View { trace_id: None, trace_state: &[], priority: Priority::Defer };
        let mut gather = Gather { view, has_priority: false, patch };
        span.message().visit(9, &mut gather);
        gather.view
    }
}

// === impl Gather ===

impl<'a> Visitor<'a> for Gather<'a, '_> {
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        let attribute = Attribute::read(body, pos);
        if attribute.key == b"sampling.priority" && !self.has_priority {
            self.has_priority = true;
            self.view.priority = Priority::of(attribute.value);
        }
        ControlFlow::Continue(())
    }

    fn field(&mut self, number: u32, payload: Payload<'a>, pos: Pos) {
        match (number, payload) {
            // An id of zeros is none.
            (1, Payload::Bytes(id)) => self.view.trace_id = id.try_into().ok().filter(|id| *id != [0; 16]),
            (3, Payload::Bytes(state)) => {
                self.view.trace_state = state;
                self.patch.cut(pos);
            }
            _ => {}
        }
    }
}
