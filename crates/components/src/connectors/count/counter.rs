//! Counting items of one resource.

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric};
use spanmill_otlp::ValueRef;
use spanmill_ottl::{ConditionError, Frame};

use super::definition::{Definitions, MetricDefinition};
use crate::connectors::metrics::{Point, insert, key_value, now, number_point, push_typed, sum_metric};

/// Counts by metric and attributes, and the times between which the items lie.
pub(super) struct Counter<'d> {
    definitions: &'d Definitions,
    counts: Vec<Counts>,
    key: Vec<u8>,
    /// Nanoseconds since 1970; 0 where no item had a time.
    start: u64,
    end: u64,
}

/// Counts of one metric by the values of its attributes.
type Counts = IndexMap<Box<[u8]>, (Vec<KeyValue>, u64), RandomState>;

/// Attributes of the item, its scope and its resource, by slot.
pub(super) type Levels<'v, 'a> = [&'v [Option<ValueRef<'a>>]; 3];

// === impl Counter ===

impl<'d> Counter<'d> {
    pub(super) fn new(definitions: &'d Definitions) -> Self {
        let counts = definitions.metrics.iter().map(|_| Counts::default()).collect();
        Self { definitions, counts, key: Vec::new(), start: 0, end: 0 }
    }

    /// Notes the time of an item.
    pub(super) fn at(&mut self, time: u64) {
        if time != 0 {
            self.start = if self.start == 0 { time } else { self.start.min(time) };
            self.end = self.end.max(time);
        }
    }

    /// Counts an item. The frame stands at it; without one no metric has conditions.
    ///
    /// # Errors
    ///
    /// Fails with the first condition that cannot be evaluated; the item is counted under the other metrics all the same.
    pub(super) fn count(&mut self, levels: Levels<'_, '_>, frame: Option<&Frame<'_>>) -> Result<(), ConditionError> {
        let mut outcome = Ok(());
        for (metric, counts) in self.definitions.metrics.iter().zip(&mut self.counts) {
            if !metric.put_key(&mut self.key, levels) {
                continue;
            }
            if let (Some(conditions), Some(frame)) = (&metric.conditions, frame) {
                match conditions.eval(frame, &mut |_, _| ()) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => {
                        outcome = outcome.and(Err(error));
                        continue;
                    }
                }
            }
            match counts.get_mut(self.key.as_slice()) {
                Some((_, count)) => *count += 1,
                None => drop(counts.insert(self.key.as_slice().into(), (metric.attributes(levels), 1))),
            }
        }
        outcome
    }

    /// The metrics that counted anything.
    pub(super) fn metrics(self) -> Vec<Metric> {
        let (start, time) = match self.start {
            0 => {
                let now = now();
                (now, now)
            }
            start => (start, self.end),
        };
        let mut metrics = Vec::new();
        for (definition, counts) in self.definitions.metrics.iter().zip(self.counts) {
            if counts.is_empty() {
                continue;
            }
            let points = counts.into_values().map(|(attributes, count)| {
                number_point(Point { attributes, start, time, ..Point::default() }, Value::AsInt(count as i64))
            });
            metrics.push(Metric {
                name: definition.name.clone(),
                description: definition.description.clone(),
                ..sum_metric(points.collect(), AggregationTemporality::Delta, true)
            });
        }
        metrics
    }
}

// === impl MetricDefinition ===

impl MetricDefinition {
    /// Writes what tells the series apart; says whether the item has all attributes. With the same one twice it never has.
    fn put_key(&self, key: &mut Vec<u8>, levels: Levels<'_, '_>) -> bool {
        key.clear();
        self.attributes.iter().enumerate().all(|(at, attribute)| {
            if self.attributes.iter().take(at).any(|before| before.key == attribute.key) {
                return false;
            }
            match (find(levels, attribute.slot.into()), &attribute.default) {
                (Some(value), _) => push_typed(key, value),
                (None, Some(default)) => key.extend_from_slice(&default.typed),
                (None, None) => return false,
            }
            true
        })
    }

    fn attributes(&self, levels: Levels<'_, '_>) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        for attribute in &self.attributes {
            match (find(levels, attribute.slot.into()), &attribute.default) {
                (Some(value), _) => insert(&mut attributes, key_value(attribute.key.as_bytes(), value)),
                (None, Some(default)) => {
                    let (key, value) = (attribute.key.clone(), Some(default.value.clone()));
                    insert(&mut attributes, KeyValue { key, value, ..KeyValue::default() });
                }
                (None, None) => {}
            }
        }
        attributes
    }
}

fn find<'a>(levels: Levels<'_, 'a>, slot: usize) -> Option<ValueRef<'a>> {
    levels.iter().find_map(|values| values.get(slot).copied().flatten())
}
