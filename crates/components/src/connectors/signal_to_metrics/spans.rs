//! Spans of a request, one after the other.

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use spanmill_otlp::Traces;

use super::config::Plan;
use super::making::{Item, ItemError, Maker};
use crate::client;

/// Makes metrics of a request. `ignored` is told of errors that the mode says to tell and go on.
///
/// # Errors
///
/// Fails where the mode is to propagate errors, and where attributes cannot be told.
pub(super) fn make(
    plan: &Plan,
    instance: &str,
    traces: &Traces,
    ignored: &mut dyn FnMut(&ItemError),
) -> Result<Vec<ResourceMetrics>, ItemError> {
    let mut maker = Maker::new(&plan.spans, plan.mode, instance, ignored);
    let client = client::wanted_by(&plan.slots);
    let mut frame = plan.slots.frame_for(client.as_ref());
    let mut values = Vec::new();
    for resource in traces.resources() {
        frame.enter_resource(resource);
        maker.enter_resource();
        for scope in resource.scopes() {
            frame.enter_scope(scope);
            for span in scope.spans() {
                frame.enter_span(span);
                plan.spans.wanted.fill(span.attributes(), &mut values);
                let item = Item { values: &values, attributes: span.attributes() };
                maker.take(&resource.attributes(), &item, &frame)?;
            }
        }
    }
    Ok(maker.finish())
}
