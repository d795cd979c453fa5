//! Compiled conditions.

use super::EvalError;
use super::compare::compare;
use super::expr::{Env, Expr};
use super::val::Val;
use crate::ast::CompareOp;

/// A compiled condition.
#[derive(Debug)]
pub(crate) enum Bool {
    Const(bool),
    Not(Box<Bool>),
    And(Box<[Bool]>),
    Or(Box<[Bool]>),
    Compare(Box<(Expr, CompareOp, Expr)>),
    /// A call that must give a boolean.
    Call(Expr),
}

// === impl Bool ===

impl Bool {
    pub(crate) fn not(inner: Self) -> Self {
        match inner {
            Self::Const(value) => Self::Const(!value),
            inner => Self::Not(Box::new(inner)),
        }
    }

    /// Constants are taken out, as far as they decide: what stands beside a `false` is not even evaluated.
    pub(crate) fn and(terms: Vec<Self>) -> Self {
        Self::join(terms, false, Self::And)
    }

    /// The same for `or`.
    pub(crate) fn or(terms: Vec<Self>) -> Self {
        Self::join(terms, true, Self::Or)
    }

    /// Joins terms of which a constant `decisive` decides alone.
    fn join(terms: Vec<Self>, decisive: bool, join: impl FnOnce(Box<[Self]>) -> Self) -> Self {
        if terms.iter().any(|term| matches!(term, Self::Const(value) if *value == decisive)) {
            return Self::Const(decisive);
        }
        let mut open: Vec<Self> = terms.into_iter().filter(|term| !matches!(term, Self::Const(_))).collect();
        match open.len() {
            0 => Self::Const(!decisive),
            1 => open.remove(0),
            _ => join(open.into()),
        }
    }

    #[inline]
    pub(crate) fn eval(&self, env: &Env<'_>) -> Result<bool, EvalError> {
        match self {
            Self::Const(value) => Ok(*value),
            Self::Compare(parts) => {
                let (left, op, right) = &**parts;
                let left = left.eval(env)?;
                let right = right.eval(env)?;
                Ok(compare(&left, *op, &right))
            }
            Self::And(terms) => {
                for term in terms {
                    if !term.eval(env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(terms) => {
                for term in terms {
                    if term.eval(env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(inner) => Ok(!inner.eval(env)?),
            Self::Call(call) => match call.eval(env)? {
                Val::Bool(value) => Ok(value),
                other => Err(EvalError::Type {
                    expected: "bool from a function that stands alone",
                    found: other.type_name(),
                }),
            },
        }
    }
}
