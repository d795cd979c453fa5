//! Comparing values, and making them into others.

use super::XPathError;
use super::parse::Compare;
use super::query::{Query, Result, Run, Value};
use crate::eval::convert as to;
use crate::eval::val::Val;

/// A text as a number; not a number where it is none.
pub(super) fn number(text: &[u8]) -> f64 {
    let trimmed = String::from_utf8_lossy(text);
    let value = Val::string(trimmed.trim().to_owned());
    to::double_like(&value).ok().flatten().unwrap_or(f64::NAN)
}

pub(super) fn to_number<'r>(run: &mut Run<'r>, value: &Value, nodes: &mut Query<'r>) -> Result<f64> {
    Ok(match value {
        Value::Nodes => match nodes.select(run)? {
            Some(first) => number(&run.value(first)?),
            None => f64::NAN,
        },
        Value::Number(value) => *value,
        Value::Text(text) => number(text),
        Value::Bool(value) => f64::from(u8::from(*value)),
    })
}

pub(super) fn to_bool<'r>(run: &mut Run<'r>, value: &Value, nodes: &mut Query<'r>) -> Result<bool> {
    Ok(match value {
        Value::Bool(value) => *value,
        Value::Number(value) => *value != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::Nodes => nodes.select(run)?.is_some(),
    })
}

pub(super) fn to_text<'r>(run: &mut Run<'r>, value: &Value, nodes: &mut Query<'r>) -> Result<Vec<u8>> {
    Ok(match value {
        Value::Bool(value) => value.to_string().into_bytes(),
        Value::Number(value) if value.is_nan() => b"NaN".to_vec(),
        Value::Number(value) if value.is_infinite() => {
            if *value > 0.0 {
                b"Infinity".to_vec()
            } else {
                b"-Infinity".to_vec()
            }
        }
        Value::Number(0.0) => b"0".to_vec(),
        Value::Number(value) => value.to_string().into_bytes(),
        Value::Text(text) => text.clone(),
        Value::Nodes => match nodes.select(run)? {
            Some(first) => run.value(first)?,
            None => Vec::new(),
        },
    })
}

fn numbers(operator: Compare, a: f64, b: f64) -> bool {
    match operator {
        Compare::Eq => a == b,
        Compare::Ne => a != b,
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
    }
}

fn texts(operator: Compare, a: &[u8], b: &[u8]) -> bool {
    match operator {
        Compare::Eq => a == b,
        Compare::Ne => a != b,
        _ => numbers(operator, number(a), number(b)),
    }
}

/// Nodes compare where any of them does.
pub(super) fn compare<'r>(
    run: &mut Run<'r>,
    operator: Compare,
    left: (Value, &mut Query<'r>),
    right: (Value, &mut Query<'r>),
) -> Result<bool> {
    let ((left, left_nodes), (right, right_nodes)) = (left, right);
    match (left, right) {
        // Go's never are.
        (Value::Bool(_), Value::Bool(_)) => Ok(false),
        (Value::Bool(_), _) | (_, Value::Bool(_)) => {
            Err(XPathError::Evaluate("a boolean can only be compared with another one"))
        }
        (Value::Number(a), Value::Number(b)) => Ok(numbers(operator, a, b)),
        (Value::Number(a), Value::Text(b)) => Ok(numbers(operator, a, number(&b))),
        (Value::Text(a), Value::Number(b)) => Ok(numbers(operator, number(&a), b)),
        (Value::Text(a), Value::Text(b)) => Ok(texts(operator, &a, &b)),
        (Value::Number(a), Value::Nodes) => any(run, right_nodes, |b| numbers(operator, a, number(b))),
        (Value::Nodes, Value::Number(b)) => any(run, left_nodes, |a| numbers(operator, number(a), b)),
        (Value::Text(a), Value::Nodes) => any(run, right_nodes, |b| texts(operator, &a, b)),
        (Value::Nodes, Value::Text(b)) => any(run, left_nodes, |a| texts(operator, a, &b)),
        (Value::Nodes, Value::Nodes) => {
            while let Some(a) = left_nodes.select(run)? {
                let a = run.value(a)?;
                let mut some = false;
                while let Some(b) = right_nodes.select(run)? {
                    some = true;
                    if texts(operator, &a, &run.value(b)?) {
                        return Ok(true);
                    }
                }
                if !some {
                    return Ok(false);
                }
                right_nodes.evaluate(run)?;
            }
            Ok(false)
        }
    }
}

fn any<'r>(run: &mut Run<'r>, nodes: &mut Query<'r>, test: impl Fn(&[u8]) -> bool) -> Result<bool> {
    while let Some(node) = nodes.select(run)? {
        if test(&run.value(node)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
