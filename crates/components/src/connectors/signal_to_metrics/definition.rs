//! Metrics as they were configured, made ready.

use std::mem::Discriminant;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use spanmill_otlp::{Slot, ValueRef};
use spanmill_ottl::{ConditionSet, EvalError, Frame, ValueExpression};

use crate::connectors::metrics::{Buckets, Fallback, Wanted, key_value, push_typed};

/// The metrics that are made of one kind of item, and the attributes of it that they name.
#[derive(Debug)]
pub(super) struct Definitions {
    pub(super) metrics: Vec<Definition>,
    pub(super) wanted: Wanted,
}

/// A metric.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: Name,
    /// The number of the first definition with the same name.
    pub(super) group: usize,
    pub(super) value: Value,
    /// None where every item counts.
    pub(super) conditions: Option<ConditionSet>,
    pub(super) attributes: Attributes,
    pub(super) resource_attributes: Attributes,
}

/// What metrics are told apart by.
#[derive(Debug, PartialEq)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) unit: String,
    /// Of a histogram, which kind of buckets it has.
    pub(super) kind: Discriminant<Buckets>,
    pub(super) is_histogram: bool,
    pub(super) is_gauge: bool,
}

/// What a metric is made of.
#[derive(Debug)]
pub(super) enum Value {
    Sum { value: ValueExpression, is_monotonic: bool },
    Gauge { value: ValueExpression },
    Histogram { buckets: Buckets, count: Option<ValueExpression>, value: ValueExpression },
}

/// A list of attributes to take.
#[derive(Debug)]
pub(super) struct Attributes {
    entries: Vec<AttributeEntry>,
    /// The same by key, where no expression gives keys.
    sorted: Option<Vec<Taken>>,
}

/// An attribute, or an expression that gives several.
#[derive(Debug)]
pub(super) struct AttributeEntry {
    pub(super) key: Arc<str>,
    pub(super) slot: Option<Slot>,
    pub(super) keys: Option<ValueExpression>,
    pub(super) is_optional: bool,
    pub(super) default: Option<Fallback>,
}

/// An attribute to take.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    key: Arc<str>,
    slot: Option<Slot>,
    default: Option<Fallback>,
}

/// Most keys that an expression may give.
const MOST_KEYS: usize = 256;

/// Where attributes are found.
pub(super) trait Source {
    fn find(&self, slot: Option<Slot>, key: &str) -> Option<ValueRef<'_>>;
}

// === impl Attributes ===

impl Attributes {
    pub(super) fn new(entries: Vec<AttributeEntry>) -> Self {
        let sorted = entries.iter().all(|entry| entry.keys.is_none()).then(|| {
            let mut sorted: Vec<Taken> = entries.iter().map(|entry| entry.taken(Arc::clone(&entry.key))).collect();
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
            sorted
        });
        Self { entries, sorted }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an item has all that it must have.
    pub(super) fn match_all(&self, source: &impl Source) -> bool {
        self.entries.iter().all(|entry| {
            entry.keys.is_some()
                || entry.is_optional
                || entry.default.is_some()
                || source.find(entry.slot, &entry.key).is_some()
        })
    }

    /// Calls back with the attributes to take at what the frame stands at, by key; of equal ones the last counts.
    ///
    /// # Errors
    ///
    /// Fails where an expression gives no keys.
    pub(super) fn resolve<T>(&self, frame: &Frame<'_>, then: impl FnOnce(&[Taken]) -> T) -> Result<T, EvalError> {
        if let Some(sorted) = &self.sorted {
            return Ok(then(sorted));
        }
        let mut taken: Vec<Taken> = Vec::new();
        for entry in self.entries.iter().rev() {
            let keys: Vec<Arc<str>> = match &entry.keys {
                None => vec![Arc::clone(&entry.key)],
                Some(keys) => {
                    let keys = keys.texts(frame)?.unwrap_or_default();
                    if keys.len() > MOST_KEYS {
                        return Err(EvalError::Static("keys_expression gives too many keys"));
                    }
                    keys.iter().rev().map(|key| Arc::from(String::from_utf8_lossy(key))).collect()
                }
            };
            for key in keys {
                if !taken.iter().any(|known| known.key == key) {
                    taken.push(entry.taken(key));
                }
            }
        }
        taken.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(then(&taken))
    }
}

// === impl AttributeEntry ===

impl AttributeEntry {
    fn taken(&self, key: Arc<str>) -> Taken {
        Taken { key, slot: self.slot, default: self.default.clone() }
    }
}

// === impl Taken ===

impl Taken {
    /// Writes what tells series apart.
    pub(super) fn put_key(taken: &[Self], source: &impl Source, out: &mut Vec<u8>) {
        out.clear();
        for Self { key, slot, default } in taken {
            let begin = |out: &mut Vec<u8>| {
                out.extend_from_slice(key.as_bytes());
                out.push(0);
            };
            match (source.find(*slot, key), default) {
                (Some(value), _) => {
                    begin(out);
                    push_typed(out, value);
                }
                (None, Some(default)) => {
                    begin(out);
                    out.extend_from_slice(&default.typed);
                }
                (None, None) => {}
            }
        }
    }

    pub(super) fn attributes(taken: &[Self], source: &impl Source) -> Vec<KeyValue> {
        let attribute = |taken: &Self| match (source.find(taken.slot, &taken.key), &taken.default) {
            (Some(value), _) => Some(key_value(taken.key.as_bytes(), value)),
            (None, Some(default)) => {
                let (key, value) = (taken.key.to_string(), Some(default.value.clone()));
                Some(KeyValue { key, value, ..KeyValue::default() })
            }
            (None, None) => None,
        };
        taken.iter().filter_map(attribute).collect()
    }
}
