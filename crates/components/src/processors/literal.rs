//! Values of any type, as configurations give them.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_otlp::{Value, ValueRef, put_any_value};

/// A value that was written in the configuration, encoded as that of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal(Vec<u8>);

struct LiteralVisitor;

// === impl Literal ===

impl Literal {
    pub(super) fn new(value: &Value<'_>) -> Self {
        let mut encoded = Vec::new();
        put_any_value(&mut encoded, value);
        Self(encoded)
    }

    pub(super) fn value(&self) -> ValueRef<'_> {
        ValueRef::new(&self.0)
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LiteralVisitor)
    }
}

// === impl LiteralVisitor ===

impl<'de> Visitor<'de> for LiteralVisitor {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Literal, E> {
        Ok(Literal::new(&Value::Empty))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Literal, E> {
        Ok(Literal::new(&Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Literal, E> {
        Ok(Literal::new(&Value::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Literal, E> {
        // Beyond 63 bits it becomes negative, as in the Collector.
        Ok(Literal::new(&Value::Int(value as i64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Literal, E> {
        Ok(Literal::new(&Value::Double(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Literal, E> {
        Ok(Literal::new(&Value::Str(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Literal, A::Error> {
        let mut found: Vec<Literal> = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        let values: Vec<Value<'_>> = found.iter().map(|item| Value::Raw(&item.0)).collect();
        Ok(Literal::new(&Value::Array(&values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Literal, A::Error> {
        let mut found: Vec<(String, Literal)> = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            found.push(entry);
        }
        let values: Vec<(&str, Value<'_>)> =
            found.iter().map(|(key, item)| (key.as_str(), Value::Raw(&item.0))).collect();
        Ok(Literal::new(&Value::Map(&values)))
    }
}
