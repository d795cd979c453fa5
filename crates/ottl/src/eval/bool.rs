//! Compiled conditions.

use super::EvalError;
use spanmill_otlp::{Slot, ValueRef};

use super::compare::{compare, ordered};
use super::expr::{Env, Expr};
use super::level::Level;
use super::number::compare_numbers;
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
    /// An attribute compared with a constant, which most comparisons are.
    CompareAttribute(Box<(Level, Slot, CompareOp, Val<'static>)>),
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
                if let Some(met) = compare_numbers(left, *op, right, env.frame) {
                    return Ok(met);
                }
                let left = left.eval(env)?;
                let right = right.eval(env)?;
                Ok(compare(&left, *op, &right))
            }
            Self::CompareAttribute(parts) => {
                let (level, slot, op, constant) = &**parts;
                let value = env.frame.slot(*level, *slot);
                Ok(match (value.map(short_int), constant) {
                    (Some(Some(value)), Val::Int(constant)) => ordered(value.cmp(constant), *op),
                    _ => compare(&value.map_or(Val::Nil, Val::of), *op, constant),
                })
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

/// The integer that a value holds, where it is encoded as every known sender does: nothing before and after it.
#[inline]
fn short_int(value: ValueRef<'_>) -> Option<i64> {
    const INT: u8 = 0x18;
    match value.raw() {
        [INT, byte @ 0..0x80] => Some(i64::from(*byte)),
        [INT, low @ 0x80..=0xff, high @ 0..0x80] => Some(i64::from(*low & 0x7f) | i64::from(*high) << 7),
        _ => None,
    }
}
