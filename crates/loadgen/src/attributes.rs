use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

/// An attribute.
pub(crate) fn attribute(key: &str, value: impl Into<Given>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value.into().0), ..KeyValue::default() }
}

/// A value of an attribute, from what Rust has for it.
pub(crate) struct Given(AnyValue);

/// A list of values.
pub(crate) fn array(values: impl IntoIterator<Item = impl Into<Given>>) -> Given {
    let values = values.into_iter().map(|value| value.into().0).collect();
    Value::ArrayValue(ArrayValue { values }).into()
}

/// A map of values.
pub(crate) fn map(values: Vec<KeyValue>) -> Given {
    Value::KvlistValue(KeyValueList { values }).into()
}

// === impl Given ===

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self(AnyValue { value: Some(value) })
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Value::StringValue(text.to_owned()).into()
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Value::StringValue(text).into()
    }
}

impl From<u64> for Given {
    fn from(number: u64) -> Self {
        Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX)).into()
    }
}

impl From<f64> for Given {
    fn from(number: f64) -> Self {
        Value::DoubleValue(number).into()
    }
}

impl From<bool> for Given {
    fn from(yes: bool) -> Self {
        Value::BoolValue(yes).into()
    }
}
