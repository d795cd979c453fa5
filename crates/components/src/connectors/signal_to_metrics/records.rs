//! Log records and data points of a request, one after the other.

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use spanmill_otlp::{Attributes, Opaque, Signal, ValueRef};
use spanmill_ottl::Frame;
use spanmill_pipeline::ConsumeError;

use super::config::Plan;
use super::definition::Definitions;
use super::making::{Item, ItemError, Maker};
use super::refused;
use crate::connectors::walk::{self, Items};

/// Makes metrics of what is shown.
struct Making<'p, 'a> {
    maker: Maker<'p>,
    definitions: &'p Definitions,
    resource: Option<Attributes<'a>>,
    values: Vec<Option<ValueRef<'a>>>,
}

/// Makes metrics of a request of logs or metrics. `ignored` is told of errors that the mode says to tell and go on.
///
/// # Errors
///
/// Fails where the mode is to propagate errors, and where attributes cannot be told.
pub(super) fn make(
    plan: &Plan,
    instance: &str,
    request: &Opaque,
    ignored: &mut dyn FnMut(&ItemError),
) -> Result<Vec<ResourceMetrics>, ConsumeError> {
    let definitions = if request.signal() == Signal::Logs { &plan.logs } else { &plan.points };
    let maker = Maker::new(definitions, plan.mode, instance, ignored);
    let mut making = Making { maker, definitions, resource: None, values: Vec::new() };
    // Values are expressions: without any there is nothing to do.
    let asked = Some(&plan.slots).filter(|_| !definitions.metrics.is_empty());
    match request.signal() {
        Signal::Logs => walk::logs(request, asked, &mut making)?,
        Signal::Metrics | Signal::Traces => walk::metrics(request, asked, &mut making)?,
    }
    Ok(making.maker.finish())
}

// === impl Making ===

impl<'a> Items<'a> for Making<'_, 'a> {
    fn enter_resource(&mut self, attributes: Attributes<'a>) {
        self.maker.enter_resource();
        self.resource = Some(attributes);
    }

    fn item(&mut self, _: u64, attributes: Attributes<'a>, frame: Option<&Frame<'_>>) -> Result<(), ConsumeError> {
        let (Some(frame), Some(resource)) = (frame, &self.resource) else { return Ok(()) };
        self.definitions.wanted.fill(attributes.clone(), &mut self.values);
        let item = Item { values: &self.values, attributes };
        self.maker.take(resource, &item, frame).map_err(|error| refused(&error))
    }
}
