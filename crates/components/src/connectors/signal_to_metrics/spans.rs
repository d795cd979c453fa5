//! Spans of a request, one after the other.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use prost::Message;
use spanmill_otlp::{ResourceRef, Slot, Traces, ValueRef};
use spanmill_ottl::{ErrorMode, EvalError, Frame, Number, ValueExpression};
use thiserror::Error;

use super::aggregate::{Aggregates, Given};
use super::config::Plan;
use super::definition::{Definition, Source, Taken, Value};
use crate::client;
use crate::connectors::metrics::{all, insert, push_typed, text_attribute};

/// Why a request is refused.
#[derive(Debug, Error)]
pub(super) enum SpanError {
    #[error("failed to resolve attributes: {0}")]
    Attributes(EvalError),
    #[error("failed to evaluate conditions: {0}")]
    Conditions(#[from] spanmill_ottl::ConditionError),
    #[error("failed to evaluate {text:?}: {error}")]
    Value { text: std::sync::Arc<str>, error: EvalError },
}

/// Values of attributes by slot, and all of them.
struct SpanSource<'v, 'a> {
    values: &'v [Option<ValueRef<'a>>],
    span: spanmill_otlp::SpanRef<'a>,
}

struct ResourceSource<'a>(ResourceRef<'a>);

/// The attributes of the resource of a metric, once they have been worked out.
type Prepared = Option<(Vec<u8>, Vec<KeyValue>)>;

/// What tells which process counted.
const INSTANCE: &str = "signal_to_metrics.service.instance.id";

/// Makes metrics of a request. `ignored` is told of errors that the mode says to tell and go on.
///
/// # Errors
///
/// Fails where the mode is to propagate errors, and where attributes cannot be told.
pub(super) fn make(
    plan: &Plan,
    instance: &str,
    traces: &Traces,
    ignored: &mut dyn FnMut(&SpanError),
) -> Result<Vec<ResourceMetrics>, SpanError> {
    let mut aggregates = Aggregates::default();
    let client = client::wanted_by(&plan.slots);
    let mut frame = plan.slots.frame_for(client.as_ref());
    let (mut values, mut key) = (Vec::new(), Vec::new());
    for resource in traces.resources() {
        frame.enter_resource(resource);
        let mut prepared: Vec<Prepared> = plan.definitions.iter().map(|_| None).collect();
        for scope in resource.scopes() {
            frame.enter_scope(scope);
            for span in scope.spans() {
                frame.enter_span(span);
                plan.wanted.fill(span.attributes(), &mut values);
                let source = SpanSource { values: &values, span };
                for (definition, prepared) in plan.definitions.iter().zip(&mut prepared) {
                    if !definition.attributes.match_all(&source) || !is_met(definition, &frame, ignored)? {
                        continue;
                    }
                    if prepared.is_none() {
                        *prepared = Some(prepare(definition, resource, instance, &frame)?);
                    }
                    let Some((resource_key, resource_attributes)) = prepared.as_ref() else { continue };
                    let resolved = definition.attributes.resolve(&frame, |taken| {
                        let given = match definition.value.given(&frame) {
                            Ok(Some(given)) => given,
                            Ok(None) => return Ok(()),
                            Err(error) => return Err(error),
                        };
                        Taken::put_key(taken, &source, &mut key);
                        let attributes = || Taken::attributes(taken, &source);
                        let resource = (resource_key.as_slice(), resource_attributes.as_slice());
                        aggregates.take(definition, resource, (key.as_slice(), attributes), given);
                        Ok(())
                    });
                    match (resolved.map_err(SpanError::Attributes)?, plan.mode) {
                        (Ok(()), _) | (Err(_), ErrorMode::Silent) => {}
                        (Err(error), ErrorMode::Ignore) => ignored(&error),
                        (Err(error), ErrorMode::Propagate) => return Err(error),
                    }
                }
            }
        }
    }
    Ok(aggregates.metrics(&plan.definitions))
}

fn is_met(definition: &Definition, frame: &Frame<'_>, ignored: &mut dyn FnMut(&SpanError)) -> Result<bool, SpanError> {
    // Keys that cannot be told refuse a span before its conditions are looked at.
    definition.attributes.resolve(frame, |_| ()).map_err(SpanError::Attributes)?;
    let Some(conditions) = &definition.conditions else { return Ok(true) };
    let mut tell = |condition: &spanmill_ottl::Condition, error: &EvalError| {
        let error = spanmill_ottl::ConditionError { text: condition.text().clone(), error: error.clone() };
        ignored(&SpanError::Conditions(error));
    };
    Ok(conditions.eval(frame, &mut tell)?)
}

/// The attributes of a metric's resource, and what it is known by.
fn prepare(
    definition: &Definition,
    resource: ResourceRef<'_>,
    instance: &str,
    frame: &Frame<'_>,
) -> Result<(Vec<u8>, Vec<KeyValue>), SpanError> {
    let wanted = &definition.resource_attributes;
    let mut attributes = if wanted.is_empty() {
        all(resource.attributes())
    } else {
        let taken = wanted.resolve(frame, |taken| Taken::attributes(taken, &ResourceSource(resource)));
        taken.map_err(SpanError::Attributes)?
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
    /// What a span gives; nothing where it has none of it.
    fn given(&self, frame: &Frame<'_>) -> Result<Option<Given>, SpanError> {
        let failed = |expression: &ValueExpression, error: EvalError| SpanError::Value {
            text: expression.text().clone(),
            error,
        };
        let required = |expression: &ValueExpression| -> Result<Number, SpanError> {
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

// === impl SpanSource ===

impl Source for SpanSource<'_, '_> {
    fn find(&self, slot: Option<Slot>, key: &str) -> Option<ValueRef<'_>> {
        match slot {
            Some(slot) => self.values.get(usize::from(slot)).copied().flatten(),
            None => self.span.attribute(key),
        }
    }
}

// === impl ResourceSource ===

impl Source for ResourceSource<'_> {
    fn find(&self, _: Option<Slot>, key: &str) -> Option<ValueRef<'_>> {
        self.0.attribute(key)
    }
}
