//! Metrics of items, one after the other.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use prost::Message;
use spanmill_otlp::{Attributes, Slot, ValueRef};
use spanmill_ottl::{Condition, ConditionError, ErrorMode, EvalError, Frame, Number, ValueExpression};
use thiserror::Error;

use super::aggregate::{Aggregates, Given};
use super::definition::{Definition, Definitions, Source, Taken, Value};
use crate::connectors::metrics::{all, insert, push_typed, text_attribute};

/// Makes metrics of items of one kind.
pub(super) struct Maker<'p> {
    definitions: &'p Definitions,
    mode: ErrorMode,
    /// What tells which process counts.
    instance: &'p str,
    aggregates: Aggregates,
    /// By definition: what its metric has of the resource at hand.
    prepared: Vec<Prepared>,
    key: Vec<u8>,
    /// Told of errors that the mode says to tell and go on.
    ignored: &'p mut dyn FnMut(&ItemError),
}

/// Why a request is refused.
#[derive(Debug, Error)]
pub(super) enum ItemError {
    #[error("failed to resolve attributes: {0}")]
    Attributes(EvalError),
    #[error("failed to evaluate conditions: {0}")]
    Conditions(#[from] ConditionError),
    #[error("failed to evaluate {text:?}: {error}")]
    Value { text: Arc<str>, error: EvalError },
}

/// An item.
pub(super) struct Item<'v, 'a> {
    /// Values of attributes by slot.
    pub(super) values: &'v [Option<ValueRef<'a>>],
    /// All of them.
    pub(super) attributes: Attributes<'a>,
}

struct Resource<'r, 'a>(&'r Attributes<'a>);

/// The attributes of the resource of a metric, once they have been worked out.
type Prepared = Option<(Vec<u8>, Vec<KeyValue>)>;

const INSTANCE: &str = "signal_to_metrics.service.instance.id";

// === impl Maker ===

impl<'p> Maker<'p> {
    pub(super) fn new(
        definitions: &'p Definitions,
        mode: ErrorMode,
        instance: &'p str,
        ignored: &'p mut dyn FnMut(&ItemError),
    ) -> Self {
        let (aggregates, prepared, key) = (Aggregates::default(), Vec::new(), Vec::new());
        Self { definitions, mode, instance, aggregates, prepared, key, ignored }
    }

    /// Forgets the resource at hand.
    pub(super) fn enter_resource(&mut self) {
        self.prepared.clear();
        self.prepared.resize_with(self.definitions.metrics.len(), || None);
    }

    /// Takes an item of a resource with these attributes. The frame stands at it.
    ///
    /// # Errors
    ///
    /// Fails where the mode is to propagate errors, and where attributes cannot be told.
    pub(super) fn take(
        &mut self,
        resource: &Attributes<'_>,
        item: &Item<'_, '_>,
        frame: &Frame<'_>,
    ) -> Result<(), ItemError> {
        let Self { definitions, mode, instance, aggregates, prepared, key, ignored } = self;
        for (definition, prepared) in definitions.metrics.iter().zip(prepared) {
            if !definition.attributes.match_all(item) || !is_met(definition, frame, ignored)? {
                continue;
            }
            if prepared.is_none() {
                *prepared = Some(prepare(definition, resource, instance, frame)?);
            }
            let Some((resource_key, resource_attributes)) = prepared.as_ref() else { continue };
            let resolved = definition.attributes.resolve(frame, |taken| {
                let given = match definition.value.given(frame) {
                    Ok(Some(given)) => given,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error),
                };
                Taken::put_key(taken, item, key);
                let attributes = || Taken::attributes(taken, item);
                let resource = (resource_key.as_slice(), resource_attributes.as_slice());
                aggregates.take(definition, resource, (key.as_slice(), attributes), given);
                Ok(())
            });
            match (resolved.map_err(ItemError::Attributes)?, *mode) {
                (Ok(()), _) | (Err(_), ErrorMode::Silent) => {}
                (Err(error), ErrorMode::Ignore) => ignored(&error),
                (Err(error), ErrorMode::Propagate) => return Err(error),
            }
        }
        Ok(())
    }

    /// What has come of all of them.
    pub(super) fn finish(self) -> Vec<ResourceMetrics> {
        self.aggregates.metrics(&self.definitions.metrics)
    }
}

fn is_met(definition: &Definition, frame: &Frame<'_>, ignored: &mut dyn FnMut(&ItemError)) -> Result<bool, ItemError> {
    // Keys that cannot be told refuse an item before its conditions are looked at.
    definition.attributes.resolve(frame, |_| ()).map_err(ItemError::Attributes)?;
    let Some(conditions) = &definition.conditions else { return Ok(true) };
    let mut tell = |condition: &Condition, error: &EvalError| {
        let error = ConditionError { text: condition.text().clone(), error: error.clone() };
        ignored(&ItemError::Conditions(error));
    };
    Ok(conditions.eval(frame, &mut tell)?)
}

/// The attributes of a metric's resource, and what it is known by.
fn prepare(
    definition: &Definition,
    resource: &Attributes<'_>,
    instance: &str,
    frame: &Frame<'_>,
) -> Result<(Vec<u8>, Vec<KeyValue>), ItemError> {
    let wanted = &definition.resource_attributes;
    let mut attributes = if wanted.is_empty() {
        all(resource.clone())
    } else {
        let taken = wanted.resolve(frame, |taken| Taken::attributes(taken, &Resource(resource)));
        taken.map_err(ItemError::Attributes)?
    };
    if !instance.is_empty() {
        insert(&mut attributes, text_attribute(INSTANCE, instance.as_bytes()));
    }
    let mut sorted: Vec<&KeyValue> = attributes.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut key = Vec::new();
    for attribute in sorted {
        key.extend_from_slice(attribute.key.as_bytes());
        key.push(0);
        let value = attribute.value.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        push_typed(&mut key, ValueRef::new(&value));
    }
    Ok((key, attributes))
}

// === impl Value ===

impl Value {
    /// What an item gives; nothing where it has none of it.
    fn given(&self, frame: &Frame<'_>) -> Result<Option<Given>, ItemError> {
        let failed = |expression: &ValueExpression, error: EvalError| ItemError::Value {
            text: expression.text().clone(),
            error,
        };
        let required = |expression: &ValueExpression| -> Result<Number, ItemError> {
            let number = expression.number(frame).map_err(|error| failed(expression, error))?;
            let nil = || failed(expression, EvalError::Type { expected: "a number", found: "nil" });
            number.ok_or_else(nil)
        };
        match self {
            Self::Sum { value, .. } => required(value).map(|number| Some(Given::Add(number))),
            Self::Gauge { value } => match value.number(frame) {
                Ok(number) => Ok(number.map(Given::Set)),
                // Patterns that a text does not match have no keys.
                Err(EvalError::NoKey) => Ok(None),
                Err(error) => Err(failed(value, error)),
            },
            Self::Histogram { count, value, .. } => {
                let number = required(value)?.as_double();
                let times = match count {
                    None => 1,
                    Some(count) => {
                        let times = required(count)?.as_int();
                        let negative = EvalError::Static("a count must not be negative");
                        u64::try_from(times).map_err(|_| failed(count, negative))?
                    }
                };
                Ok((times > 0).then_some(Given::Record { value: number, times }))
            }
        }
    }
}

// === impl Item ===

impl Source for Item<'_, '_> {
    fn find(&self, slot: Option<Slot>, key: &str) -> Option<ValueRef<'_>> {
        match slot {
            Some(slot) => self.values.get(usize::from(slot)).copied().flatten(),
            None => find(&self.attributes, key),
        }
    }
}

// === impl Resource ===

impl Source for Resource<'_, '_> {
    fn find(&self, _: Option<Slot>, key: &str) -> Option<ValueRef<'_>> {
        find(self.0, key)
    }
}

fn find<'a>(attributes: &Attributes<'a>, key: &str) -> Option<ValueRef<'a>> {
    attributes.clone().find(|attribute| attribute.key == key.as_bytes()).map(|attribute| attribute.value)
}
