//! Counting log records, metrics and data points.

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use spanmill_otlp::{Attributes, Opaque, ValueRef};
use spanmill_ottl::Frame;
use spanmill_pipeline::ConsumeError;
use thiserror::Error;

use super::config::Plan;
use super::counter::Counter;
use super::definition::Definitions;
use super::{SCOPE, refused};
use crate::connectors::metrics::{all, resource_metrics};
use crate::connectors::walk::{self, Items};

/// A metric that is neither gauge nor sum, histogram or summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("invalid metric type: a metric is of no kind")]
struct InvalidMetric;

/// Counts by resource.
struct Counting<'p, 'a> {
    /// Of log records or data points.
    items: &'p Definitions,
    /// Of metrics, where they are counted.
    metrics: Option<&'p Definitions>,
    counter: Counter<'p>,
    metric_counter: Option<Counter<'p>>,
    resource: Option<Attributes<'a>>,
    /// Attributes of the item, its scope and its resource.
    values: [Vec<Option<ValueRef<'a>>>; 3],
    made: Vec<ResourceMetrics>,
}

/// Counts the records of a logs request.
///
/// # Errors
///
/// Fails where a condition cannot be evaluated.
pub(super) fn count_logs(plan: &Plan, request: &Opaque) -> Result<Vec<ResourceMetrics>, ConsumeError> {
    let mut counting = Counting::new(&plan.logs, None);
    walk::logs(request, plan.logs.have_conditions().then_some(&plan.slots), &mut counting)?;
    Ok(counting.made)
}

/// Counts the metrics and data points of a metrics request.
///
/// # Errors
///
/// Fails where a metric is of no kind, as the Collector's does, and where a condition cannot be evaluated.
pub(super) fn count_metrics(plan: &Plan, request: &Opaque) -> Result<Vec<ResourceMetrics>, ConsumeError> {
    let mut counting = Counting::new(&plan.points, Some(&plan.metrics));
    let have_conditions = plan.metrics.have_conditions() || plan.points.have_conditions();
    walk::metrics(request, have_conditions.then_some(&plan.slots), &mut counting)?;
    Ok(counting.made)
}

// === impl Counting ===

impl<'p> Counting<'p, '_> {
    fn new(items: &'p Definitions, metrics: Option<&'p Definitions>) -> Self {
        let (counter, metric_counter) = (Counter::new(items), metrics.map(Counter::new));
        Self { items, metrics, counter, metric_counter, resource: None, values: Default::default(), made: Vec::new() }
    }
}

impl<'a> Items<'a> for Counting<'_, 'a> {
    fn enter_resource(&mut self, attributes: Attributes<'a>) {
        let [_, _, of_resource] = &mut self.values;
        self.items.wanted.fill(attributes.clone(), of_resource);
        self.resource = Some(attributes);
    }

    fn enter_scope(&mut self, attributes: Attributes<'a>) {
        let [_, of_scope, _] = &mut self.values;
        self.items.wanted.fill(attributes, of_scope);
    }

    fn metric(&mut self, has_kind: bool, frame: Option<&Frame<'_>>) -> Result<(), ConsumeError> {
        if let Some(counter) = &mut self.metric_counter {
            counter.count([&[], &[], &[]], frame).map_err(refused)?;
        }
        if has_kind { Ok(()) } else { Err(refused(InvalidMetric)) }
    }

    fn item(&mut self, time: u64, attributes: Attributes<'a>, frame: Option<&Frame<'_>>) -> Result<(), ConsumeError> {
        let [of_item, of_scope, of_resource] = &mut self.values;
        self.items.wanted.fill(attributes, of_item);
        self.counter.at(time);
        self.counter.count([&*of_item, &*of_scope, &*of_resource], frame).map_err(refused)
    }

    fn leave_resource(&mut self) {
        let counter = std::mem::replace(&mut self.counter, Counter::new(self.items));
        let of_metrics = std::mem::replace(&mut self.metric_counter, self.metrics.map(Counter::new));
        let metrics = of_metrics.map(Counter::metrics).unwrap_or_default();
        let metrics = metrics.into_iter().chain(counter.metrics()).collect::<Vec<_>>();
        if let Some(resource) = self.resource.take().filter(|_| !metrics.is_empty()) {
            self.made.push(resource_metrics(all(resource), SCOPE, metrics));
        }
    }
}
