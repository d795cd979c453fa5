use spanmill_otlp::{EventRef, Part, Patch, SpanIx, SpanRef, Traces};
use spanmill_ottl::{Condition, ConditionError, ConditionSet, Context, ErrorMode, EvalError, Frame, Slots};

use crate::client;

/// Conditions by what they drop, with the slots that they read.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) slots: Slots,
    pub(super) resource: ConditionSet,
    pub(super) scope: ConditionSet,
    pub(super) span: ConditionSet,
    pub(super) event: ConditionSet,
    pub(super) log: ConditionSet,
    pub(super) metric: ConditionSet,
    pub(super) point: ConditionSet,
}

/// What went wrong on the way, beside what was filtered.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// Errors that the mode says to tell and go on.
    pub(super) ignored: u64,
    /// The first of them.
    pub(super) first: Option<ConditionError>,
    /// The first error that refuses the request.
    pub(super) fatal: Option<ConditionError>,
}

/// What is to go, found before anything is changed.
#[derive(Default)]
struct Found {
    spans: Vec<SpanIx>,
    events: Vec<(SpanIx, Patch)>,
}

// === impl Group ===

impl Group {
    pub(super) fn new(conditions: Vec<Condition>, mode: ErrorMode, slots: Slots) -> Self {
        let mut left = conditions;
        let mut set = |context| {
            let (of_it, others) = std::mem::take(&mut left).into_iter().partition(|one| one.context() == context);
            left = others;
            ConditionSet::new(of_it, mode)
        };
        Self {
            slots,
            resource: set(Context::Resource),
            scope: set(Context::Scope),
            span: set(Context::Span),
            event: set(Context::SpanEvent),
            log: set(Context::Log),
            metric: set(Context::Metric),
            point: set(Context::DataPoint),
        }
    }

    /// Drops what the conditions are met by: resources, then scopes, then spans, then events. A span that loses all its
    /// events stays.
    pub(super) fn apply(&self, traces: &mut Traces, errors: &mut Errors) {
        let found = self.find(traces, errors);
        for span in found.spans {
            traces.drop_span(span);
        }
        for (span, patch) in found.events {
            traces.apply(span, &patch);
        }
    }

    fn find(&self, traces: &Traces, errors: &mut Errors) -> Found {
        let mut found = Found::default();
        let client = client::wanted_by(&self.slots);
        let mut frame = self.slots.frame_for(client.as_ref());
        for resource in traces.resources() {
            frame.enter_resource(resource);
            if self.met(&self.resource, &frame, errors) == Some(true) {
                found.spans.extend(resource.scopes().flat_map(|scope| scope.spans()).map(|span| span.ix()));
                continue;
            }
            if self.scope.is_empty() && self.span.is_empty() && self.event.is_empty() {
                continue;
            }
            for scope in resource.scopes() {
                frame.enter_scope(scope);
                if self.met(&self.scope, &frame, errors) == Some(true) {
                    found.spans.extend(scope.spans().map(|span| span.ix()));
                    continue;
                }
                if self.span.is_empty() && self.event.is_empty() {
                    continue;
                }
                for span in scope.spans() {
                    frame.enter_span(span);
                    match self.met(&self.span, &frame, errors) {
                        Some(true) => found.spans.push(span.ix()),
                        Some(false) if !self.event.is_empty() => self.find_events(span, &mut frame, &mut found, errors),
                        _ => {}
                    }
                }
            }
        }
        found
    }

    fn find_events<'a>(&self, span: SpanRef<'a>, frame: &mut Frame<'a>, found: &mut Found, errors: &mut Errors) {
        let mut patch: Option<Patch> = None;
        for event in span.events() {
            let EventRef { pos, .. } = event;
            // The Collector's filter does not tell the conditions which event it is at, so none can depend on it.
            frame.enter_event(event, None);
            if self.met(&self.event, frame, errors) == Some(true) {
                patch.get_or_insert_with(|| Patch::new(Part::Span)).cut(pos);
            }
        }
        found.events.extend(patch.map(|patch| (span.ix(), patch)));
    }

    /// Whether any condition is met; none where that could not be told.
    #[inline]
    pub(super) fn met(&self, conditions: &ConditionSet, frame: &Frame<'_>, errors: &mut Errors) -> Option<bool> {
        if conditions.is_empty() {
            return Some(false);
        }
        let Errors { ignored, first, fatal } = errors;
        let mut ignore = |condition: &Condition, error: &EvalError| {
            *ignored += 1;
            first.get_or_insert_with(|| ConditionError { text: condition.text().clone(), error: error.clone() });
        };
        match conditions.eval(frame, &mut ignore) {
            Ok(met) => Some(met),
            Err(error) => {
                fatal.get_or_insert(error);
                None
            }
        }
    }
}
