//! Conditions on columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringViewArray};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::cast;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::prelude::{Expr, col, lit};
use spanmill_store::{AttributeColumn, Unit, attribute_values};

use super::condition::{Bound, Comparison, Condition};
use super::number::Number;

/// A column, or what is computed of some, with what stands in it.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) value: Expr,
    pub(super) unit: Unit,
}

// === impl Field ===

impl From<AttributeColumn> for Field {
    fn from(column: AttributeColumn) -> Self {
        Self { value: col(column.name), unit: column.unit }
    }
}

impl Field {
    pub(super) fn new(value: Expr, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// That the condition holds; null where there is no value.
    pub(super) fn is(self, condition: &Condition) -> Expr {
        match self.unit {
            Unit::Text => self.text(condition),
            Unit::Int => number(self.value.clone(), condition)
                .unwrap_or_else(|| Self::new(cast(self.value, DataType::Utf8View), Unit::Text).text(condition)),
            Unit::Billionths => {
                let number_of = cast(self.value, DataType::Float64) / lit(1e9);
                number(number_of.clone(), condition)
                    .unwrap_or_else(|| Self::new(cast(number_of, DataType::Utf8View), Unit::Text).text(condition))
            }
            Unit::Flag => flag(self.value, condition),
        }
    }

    fn text(self, condition: &Condition) -> Expr {
        match condition {
            Condition::Equal(text) => self.value.eq(literal(text)),
            Condition::Not(other) if matches!(**other, Condition::Equal(_)) => {
                let Condition::Equal(text) = &**other else { return lit(false) };
                self.value.not_eq(literal(text))
            }
            condition => {
                let wanted = condition.clone();
                computed("text_is", vec![self.value], move |texts| {
                    let [texts] = texts else { return BooleanArray::new_null(0) };
                    each(texts, |text| wanted.holds_for_text(text))
                })
            }
        }
    }
}

/// That an attribute in a column of JSON has a value that the condition holds for; false where there is none.
pub(super) fn attribute(column: &str, key: &str, condition: &Condition) -> Expr {
    let (key, condition) = (key.to_owned(), condition.clone());
    computed("attribute_is", vec![col(column)], move |texts| {
        let [texts] = texts else { return BooleanArray::new_null(0) };
        each(texts, |text| attribute_values(text, &key).iter().any(|value| condition.holds(value)))
    })
}

/// A function of columns of text.
pub(super) fn computed(
    name: &str,
    columns: Vec<Expr>,
    of: impl Fn(&[&StringViewArray]) -> BooleanArray + Send + Sync + 'static,
) -> Expr {
    let types = vec![DataType::Utf8View; columns.len()];
    let run = move |values: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(values)?;
        let texts: Option<Vec<&StringViewArray>> = arrays.iter().map(|array| array.as_string_view_opt()).collect();
        let texts = texts.ok_or_else(|| DataFusionError::Internal("a text column is of another type".to_owned()))?;
        Ok(ColumnarValue::Array(Arc::new(of(&texts)) as ArrayRef))
    };
    // Two of the same name on one column would be taken for the same.
    let name = format!("{name}_{}", next());
    create_udf(&name, types, DataType::Boolean, Volatility::Immutable, Arc::new(run)).call(columns)
}

fn next() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// What is true of each text; the same text again and again, as in `resource`, is looked at once.
fn each(texts: &StringViewArray, mut is: impl FnMut(&str) -> bool) -> BooleanArray {
    let mut last: Option<(&str, bool)> = None;
    let answers = texts.iter().map(|text| {
        let Some(text) = text else { return false };
        match last {
            Some((known, answer)) if known == text => answer,
            _ => {
                let answer = is(text);
                last = Some((text, answer));
                answer
            }
        }
    });
    answers.map(Some).collect()
}

/// The condition on numbers, if it is one.
fn number(value: Expr, condition: &Condition) -> Option<Expr> {
    Some(match condition {
        Condition::Equal(text) => value.eq(lit_number(Number::plain(text)?)),
        Condition::Not(other) => match &**other {
            Condition::Equal(text) => value.not_eq(lit_number(Number::plain(text)?)),
            _ => return None,
        },
        Condition::Compare(comparison, Bound::Number(bound)) => {
            let bound = lit_number(*bound);
            match comparison {
                Comparison::Less => value.lt(bound),
                Comparison::AtMost => value.lt_eq(bound),
                Comparison::Greater => value.gt(bound),
                Comparison::AtLeast => value.gt_eq(bound),
            }
        }
        Condition::Between(low, high) => value.clone().gt_eq(lit_number(*low)).and(value.lt_eq(lit_number(*high))),
        // As texts, `5 apples` is more than 40.
        Condition::Compare(_, Bound::Text(_)) => lit(false),
        Condition::Glob(_) => return None,
    })
}

fn flag(value: Expr, condition: &Condition) -> Expr {
    let text = |flag: bool| if flag { "true" } else { "false" };
    let [yes, no] = [true, false].map(|flag| condition.holds_for_text(text(flag)));
    match (yes, no) {
        (true, true) => value.is_not_null(),
        (true, false) => value.is_true(),
        (false, true) => value.is_false(),
        (false, false) => lit(false),
    }
}

/// A whole number stays one, so that statistics of integers say something about it.
fn lit_number(number: Number) -> Expr {
    match number {
        Number::Whole(whole) => lit(whole),
        Number::Real(real) if real.fract() == 0.0 && real.abs() < 9e15 => lit(real as i64),
        Number::Real(real) => lit(real),
    }
}

fn literal(text: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(text.to_owned())))
}
