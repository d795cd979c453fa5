//! Comparison of any two values. Numbers compare across int and double; everything else only within its type; what
//! cannot be compared is unequal, and neither less nor greater.

use std::cmp::Ordering;

use spanmill_otlp::{AnyValue, ValueRef};

use super::val::{ListVal, MapVal, Val, elements};
use crate::ast::CompareOp;

/// Compares two values.
#[inline]
pub(crate) fn compare(left: &Val<'_>, op: CompareOp, right: &Val<'_>) -> bool {
    match (left, right) {
        (Val::Int(a), Val::Int(b)) => ordered(a.cmp(b), op),
        (Val::Str(a), Val::Str(b)) => ordered(a.as_ref().cmp(b.as_ref()), op),
        (Val::Int(a), Val::Double(b)) => floats(*a as f64, *b, op),
        (Val::Double(a), Val::Int(b)) => floats(*a, *b as f64, op),
        (Val::Double(a), Val::Double(b)) => floats(*a, *b, op),
        (Val::Bool(a), Val::Bool(b)) => ordered(a.cmp(b), op),
        // Empty bytes are no bytes.
        (Val::Bytes(a), Val::Bytes(b)) if a.is_empty() != b.is_empty() => op == CompareOp::Ne,
        (Val::Bytes(a), Val::Bytes(b)) => ordered(a.as_ref().cmp(b.as_ref()), op),
        (Val::Nil, Val::Nil) => matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge),
        (Val::Bytes(bytes), Val::Nil) | (Val::Nil, Val::Bytes(bytes)) if bytes.is_empty() => {
            ordered(Ordering::Equal, op)
        }
        (Val::Time(a), Val::Time(b)) => ordered(a.cmp(b), op),
        (Val::Duration(a), Val::Duration(b)) => ordered(a.cmp(b), op),
        (Val::TraceId(a), Val::TraceId(b)) => equality(a == b, op),
        (Val::SpanId(a), Val::SpanId(b)) => equality(a == b, op),
        (Val::Map(a), Val::Map(b)) => equality(maps_equal(a, b), op),
        (Val::Slice(a), Val::Slice(b)) => equality(slices_equal(a, b), op),
        (Val::Slice(a), Val::List(b)) | (Val::List(b), Val::Slice(a)) => equality(slice_equals_list(a, b), op),
        (Val::List(a), Val::List(b)) => equality(lists_equal(a.items(), b.items()), op),
        (Val::Events(a), Val::Events(b)) | (Val::Links(a), Val::Links(b)) => equality(std::ptr::eq(*a, *b), op),
        (Val::Status(_), Val::Status(_)) => equality(true, op),
        _ => op == CompareOp::Ne,
    }
}

/// Whether two values are equal.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>) -> bool {
    compare(left, CompareOp::Eq, right)
}

#[inline]
pub(crate) fn ordered(ordering: Ordering, op: CompareOp) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Gt => ordering.is_gt(),
    }
}

/// NaN is unequal to everything, and neither less nor greater.
#[inline]
pub(super) fn floats(a: f64, b: f64, op: CompareOp) -> bool {
    match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Ge => a >= b,
        CompareOp::Gt => a > b,
    }
}

fn equality(equal: bool, op: CompareOp) -> bool {
    match op {
        CompareOp::Eq => equal,
        CompareOp::Ne => !equal,
        _ => false,
    }
}

fn maps_equal(a: &MapVal<'_>, b: &MapVal<'_>) -> bool {
    a.len() == b.len()
        && a.each(|key, value| match b.get(key) {
            Some(other) if values_equal(value, other) => Ok(()),
            _ => Err(()),
        })
        .is_ok()
}

fn slices_equal(a: &[u8], b: &[u8]) -> bool {
    elements(a).count() == elements(b).count() && elements(a).zip(elements(b)).all(|(a, b)| values_equal(a, b))
}

/// Elements must be of the very same type here: 1 is not 1.0.
fn values_equal(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a.get(), b.get()) {
        (AnyValue::Array(a), AnyValue::Array(b)) => slices_equal(a, b),
        (AnyValue::Map(a), AnyValue::Map(b)) => maps_equal(&MapVal::Encoded(a.into()), &MapVal::Encoded(b.into())),
        (a, b) => a == b,
    }
}

fn slice_equals_list(slice: &[u8], list: &ListVal<'_>) -> bool {
    let items = list.items();
    elements(slice).count() == items.len()
        && elements(slice).zip(items).all(|(element, item)| same(&Val::of(element), item, false))
}

fn lists_equal(a: &[Val<'_>], b: &[Val<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, true))
}

/// Equality inside lists: the very same type. A map that was written in the text is never equal to one that was received,
/// so that maps compare in two lists of the text only.
fn same(a: &Val<'_>, b: &Val<'_>, maps: bool) -> bool {
    match (a, b) {
        (Val::Int(_), Val::Double(_)) | (Val::Double(_), Val::Int(_)) => false,
        (Val::Slice(a), Val::List(b)) | (Val::List(b), Val::Slice(a)) => slice_equals_list(a, b),
        (Val::Map(_), Val::Map(_)) if !maps => false,
        _ => equal(a, b),
    }
}
