//! Arithmetic. Integers stay integers, also when divided; with a double on either side both are doubles.

use super::EvalError;
use super::number::Number;
use super::val::Val;
use crate::ast::MathOp;

/// Computes `left op right`.
pub(crate) fn math<'a>(left: &Val<'_>, op: MathOp, right: &Val<'_>) -> Result<Val<'a>, EvalError> {
    match (left, right) {
        (Val::Int(a), Val::Int(b)) => number(Number::Int(*a), op, Number::Int(*b)),
        (Val::Int(a), Val::Double(b)) => number(Number::Int(*a), op, Number::Double(*b)),
        (Val::Double(a), Val::Int(b)) => number(Number::Double(*a), op, Number::Int(*b)),
        (Val::Double(a), Val::Double(b)) => number(Number::Double(*a), op, Number::Double(*b)),
        (Val::Int(_) | Val::Double(_), other) => Err(wrong("int or double", other)),
        (Val::Time(time), other) => match (op, other) {
            (MathOp::Add, Val::Duration(by)) => Ok(Val::Time(time.add(*by))),
            (MathOp::Sub, Val::Duration(by)) => Ok(Val::Time(time.add(by.wrapping_neg()))),
            (MathOp::Sub, Val::Time(from)) => Ok(Val::Duration(time.since(*from))),
            (MathOp::Add, other) => Err(wrong("duration", other)),
            (MathOp::Sub, other) => Err(wrong("time or duration", other)),
            _ => Err(ONLY_SUMS),
        },
        (Val::Duration(a), other) => match (op, other) {
            (MathOp::Add, Val::Duration(b)) => Ok(Val::Duration(a.wrapping_add(*b))),
            (MathOp::Add, Val::Time(time)) => Ok(Val::Time(time.add(*a))),
            (MathOp::Sub, Val::Duration(b)) => Ok(Val::Duration(a.wrapping_sub(*b))),
            (MathOp::Add, other) => Err(wrong("duration or time", other)),
            (MathOp::Sub, other) => Err(wrong("duration", other)),
            _ => Err(ONLY_SUMS),
        },
        (other, _) => Err(wrong("int, double, time or duration", other)),
    }
}

/// Computes `-value`.
pub(crate) fn negate<'a>(value: &Val<'_>) -> Result<Val<'a>, EvalError> {
    match value {
        Val::Int(value) => Ok(Val::Int(value.wrapping_neg())),
        Val::Double(value) => Ok(Val::Double(-value)),
        other => Err(wrong("int or double", other)),
    }
}

const ONLY_SUMS: EvalError = EvalError::Static("times and durations can only be added and subtracted");

fn wrong(expected: &'static str, found: &Val<'_>) -> EvalError {
    EvalError::Type { expected, found: found.type_name() }
}

fn number<'a>(a: Number, op: MathOp, b: Number) -> Result<Val<'a>, EvalError> {
    a.compute(op, b).map(Val::from).ok_or(EvalError::DivideByZero)
}
