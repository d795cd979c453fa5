//! Values of parameters: JSON to what SQL computes with.

use datafusion::common::ScalarValue;
use serde_json::Value;

use crate::error::QueryError;

/// Values of the parameters of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameters {
    /// Of `$1`, `$2` and so on.
    Positional(Vec<ScalarValue>),
    /// Of `$name`.
    Named(Vec<(String, ScalarValue)>),
}

// === impl Parameters ===

impl Default for Parameters {
    fn default() -> Self {
        Self::Positional(Vec::new())
    }
}

impl Parameters {
    /// Reads a list of values, or an object of names and values.
    pub fn from_json(json: &Value) -> Result<Self, QueryError> {
        match json {
            Value::Null => Ok(Self::default()),
            Value::Array(values) => {
                let read = |(at, value)| scalar(&format!("${}", at + 1), value);
                values.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Positional)
            }
            Value::Object(values) => {
                let read = |(name, value): (&String, &Value)| Ok((name.clone(), scalar(&format!("${name}"), value)?));
                values.iter().map(read).collect::<Result<_, _>>().map(Self::Named)
            }
            _ => Err(QueryError::Request(
                "params: a list of values or an object of names and values is wanted".to_owned(),
            )),
        }
    }
}

fn scalar(name: &str, value: &Value) -> Result<ScalarValue, QueryError> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(flag) => Ok(ScalarValue::Boolean(Some(*flag))),
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text.clone()))),
        Value::Number(number) => Ok(match number.as_i64() {
            Some(number) => ScalarValue::Int64(Some(number)),
            None => ScalarValue::Float64(number.as_f64()),
        }),
        Value::Array(_) | Value::Object(_) => {
            Err(QueryError::Request(format!("params: {name} must be a text, a number, true, false or null")))
        }
    }
}
