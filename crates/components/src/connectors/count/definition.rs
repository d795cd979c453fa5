//! What is counted.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use prost::Message;
use spanmill_otlp::{Slot, ValueRef};
use spanmill_ottl::ConditionSet;

use crate::connectors::metrics::{Wanted, push_typed};

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
    pub(super) default: Option<Default>,
}

/// A value that was configured.
#[derive(Debug)]
pub(super) struct Default {
    pub(super) value: AnyValue,
    /// As in the key of a series.
    pub(super) typed: Vec<u8>,
}

// === impl AttributeDefinition ===

impl AttributeDefinition {
    pub(super) fn new(key: String, slot: Slot, default: Option<AnyValue>) -> Self {
        let default = default.map(|value| {
            let mut typed = Vec::new();
            push_typed(&mut typed, ValueRef::new(&value.encode_to_vec()));
            Default { value, typed }
        });
        Self { key, slot, default }
    }
}
