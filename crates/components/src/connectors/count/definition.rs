//! What is counted.

use spanmill_otlp::Slot;
use spanmill_ottl::ConditionSet;

use crate::connectors::metrics::{Fallback, Wanted};

/// The metrics that count one kind of item, and the attributes that they read.
#[derive(Debug)]
pub(super) struct Definitions {
    pub(super) metrics: Vec<MetricDefinition>,
    pub(super) wanted: Wanted,
}

/// A metric.
#[derive(Debug)]
pub(super) struct MetricDefinition {
    pub(super) name: String,
    pub(super) description: String,
    /// None where everything is counted.
    pub(super) conditions: Option<ConditionSet>,
    pub(super) attributes: Vec<AttributeDefinition>,
}

/// An attribute of a metric.
#[derive(Debug)]
pub(super) struct AttributeDefinition {
    pub(super) key: String,
    pub(super) slot: Slot,
    pub(super) default: Option<Fallback>,
}

// === impl Definitions ===

impl Definitions {
    /// Whether items have to be looked at as a whole.
    pub(super) fn have_conditions(&self) -> bool {
        self.metrics.iter().any(|metric| metric.conditions.is_some())
    }
}
