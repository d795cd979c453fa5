use spanmill_ottl::{Condition, ConditionSet, Frame, Slots};

use super::{Candidate, PolicyError, Verdict};

/// Samples traces of which a span, or an event of one, meets a condition in OTTL.
#[derive(Debug)]
pub(in super::super) struct ConditionPolicy {
    pub(super) slots: Slots,
    pub(super) span: ConditionSet,
    pub(super) event: ConditionSet,
}

// === impl ConditionPolicy ===

impl ConditionPolicy {
    pub(super) fn evaluate(&self, trace: &Candidate) -> Result<Verdict, PolicyError> {
        let traces = trace.traces()?;
        let mut frame = self.slots.frame();
        for resource in traces.resources() {
            frame.enter_resource(resource);
            for scope in resource.scopes() {
                frame.enter_scope(scope);
                for span in scope.spans() {
                    frame.enter_span(span);
                    if met(&self.span, &frame)? {
                        return Ok(Verdict::Sampled);
                    }
                    if self.event.is_empty() {
                        continue;
                    }
                    for event in span.events() {
                        // The Collector does not tell the conditions which event it is at.
                        frame.enter_event(event, None);
                        if met(&self.event, &frame)? {
                            return Ok(Verdict::Sampled);
                        }
                    }
                }
            }
        }
        Ok(Verdict::NotSampled)
    }
}

fn met(conditions: &ConditionSet, frame: &Frame<'_>) -> Result<bool, PolicyError> {
    let mut tell = |condition: &Condition, error: &_| {
        tracing::debug!(condition = %condition.text(), %error, "a condition of a policy could not be evaluated");
    };
    Ok(conditions.eval(frame, &mut tell)?)
}
