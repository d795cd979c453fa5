//! Counting spans and their events.

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use spanmill_otlp::{ResourceRef, Traces};
use spanmill_ottl::{ConditionError, Frame};

use super::SCOPE;
use super::config::Plan;
use super::counter::Counter;
use crate::client;
use crate::connectors::metrics::{all, resource_metrics};

/// Counts a request, resource by resource.
///
/// # Errors
///
/// Fails where any condition cannot be evaluated.
pub(super) fn count(plan: &Plan, traces: &Traces) -> Result<Vec<ResourceMetrics>, ConditionError> {
    let client = client::wanted_by(&plan.slots);
    let mut frame = plan.slots.frame_for(client.as_ref());
    let mut made = Vec::new();
    for resource in traces.resources() {
        frame.enter_resource(resource);
        let (spans, events) = count_resource(plan, resource, &mut frame)?;
        let metrics: Vec<_> = spans.metrics().into_iter().chain(events.metrics()).collect();
        if !metrics.is_empty() {
            made.push(resource_metrics(all(resource.attributes()), SCOPE, metrics));
        }
    }
    Ok(made)
}

fn count_resource<'p, 'a>(
    plan: &'p Plan,
    resource: ResourceRef<'a>,
    frame: &mut Frame<'a>,
) -> Result<(Counter<'p>, Counter<'p>), ConditionError> {
    let (mut spans, mut events) = (Counter::new(&plan.spans), Counter::new(&plan.events));
    let (of_spans, of_events) = (&plan.spans.wanted, &plan.events.wanted);
    let mut values: [Vec<_>; 6] = Default::default();
    let [span_values, span_scope, span_resource, event_values, event_scope, event_resource] = &mut values;
    of_spans.fill(resource.attributes(), span_resource);
    of_events.fill(resource.attributes(), event_resource);
    for scope in resource.scopes() {
        frame.enter_scope(scope);
        of_spans.fill(scope.attributes(), span_scope);
        of_events.fill(scope.attributes(), event_scope);
        for span in scope.spans() {
            frame.enter_span(span);
            spans.at(span.start_time_unix_nano());
            spans.at(span.end_time_unix_nano());
            of_spans.fill(span.attributes(), span_values);
            spans.count([&*span_values, &*span_scope, &*span_resource], Some(frame))?;
            for event in span.events() {
                // The Collector's does not tell the conditions which event it is at.
                frame.enter_event(event, None);
                events.at(event.time_unix_nano());
                of_events.fill(event.attributes(), event_values);
                events.count([&*event_values, &*event_scope, &*event_resource], Some(frame))?;
            }
        }
    }
    Ok((spans, events))
}
