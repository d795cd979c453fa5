//! What filters say about time and traces, so that pieces are left out before anything is opened.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator, TryCast};

use crate::schema::Table;

/// What rows must satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// First and last time in microseconds, both included.
    pub(crate) min_us: i64,
    pub(crate) max_us: i64,
    /// One of these traces, if any are named.
    pub(crate) traces: Option<Vec<String>>,
}

/// What all of these filters together say.
pub(crate) fn bounds(table: Table, filters: &[Expr]) -> Bounds {
    let mut bounds = Bounds::default();
    for filter in filters {
        bounds.narrow(table, filter);
    }
    bounds
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self { min_us: i64::MIN, max_us: i64::MAX, traces: None }
    }
}

impl Bounds {
    /// Whether a range of times overlaps.
    pub(crate) fn overlap(&self, min_us: i64, max_us: i64) -> bool {
        min_us <= self.max_us && max_us >= self.min_us
    }

    fn narrow(&mut self, table: Table, filter: &Expr) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.narrow(table, left);
                self.narrow(table, right);
            }
            // `a = x OR a = y`, which is what short IN lists become.
            Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => {
                let mut ids = Vec::new();
                if either(filter, &mut ids) {
                    self.among(ids);
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if let (Some(column), Some(value)) = (column(left), literal(right)) {
                    self.compare(table, column, *op, value);
                } else if let (Some(value), Some(column), Some(op)) = (literal(left), column(right), op.swap()) {
                    self.compare(table, column, op, value);
                }
            }
            Expr::Between(Between { expr, negated: false, low, high }) => {
                if let (Some(column), Some(low), Some(high)) = (column(expr), literal(low), literal(high)) {
                    self.compare(table, column, Operator::GtEq, low);
                    self.compare(table, column, Operator::LtEq, high);
                }
            }
            Expr::InList(InList { expr, list, negated: false }) if column(expr) == Some("trace_id") => {
                let ids: Option<Vec<String>> = list.iter().map(|id| text(literal(id)?)).collect();
                if let Some(ids) = ids {
                    self.among(ids);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, table: Table, column: &str, op: Operator, value: &ScalarValue) {
        if column == "trace_id" {
            if let (Operator::Eq, Some(id)) = (op, text(value)) {
                self.among(vec![id]);
            }
            return;
        }
        let time = match column {
            name if name == table.time_column() => micros(value),
            "start_unix_nano" | "time_unix_nano" => match value {
                ScalarValue::Int64(Some(nanos)) => Some(nanos.div_euclid(1_000)),
                _ => None,
            },
            _ => None,
        };
        let Some(time) = time else { return };
        // Half a microsecond more than asked for does no harm: rows are filtered once more.
        if matches!(op, Operator::Gt | Operator::GtEq | Operator::Eq) {
            self.min_us = self.min_us.max(time);
        }
        if matches!(op, Operator::Lt | Operator::LtEq | Operator::Eq) {
            self.max_us = self.max_us.min(time.saturating_add(1));
        }
    }

    fn among(&mut self, ids: Vec<String>) {
        self.traces = Some(match self.traces.take() {
            Some(known) => known.into_iter().filter(|id| ids.contains(id)).collect(),
            None => ids,
        });
    }
}

/// Whether the filter only names traces; collects them.
fn either(filter: &Expr, ids: &mut Vec<String>) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return false };
    match op {
        Operator::Or => either(left, ids) && either(right, ids),
        Operator::Eq => {
            let id = match (column(left), column(right)) {
                (Some("trace_id"), _) => literal(right).and_then(text),
                (_, Some("trace_id")) => literal(left).and_then(text),
                _ => None,
            };
            id.map(|id| ids.push(id)).is_some()
        }
        _ => false,
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(column.name()),
        Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) => column(expr),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_owned)
}

fn micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampSecond(Some(value), _) => value.checked_mul(1_000_000),
        ScalarValue::TimestampMillisecond(Some(value), _) => value.checked_mul(1_000),
        ScalarValue::TimestampMicrosecond(Some(value), _) => Some(*value),
        ScalarValue::TimestampNanosecond(Some(value), _) => Some(value.div_euclid(1_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn time(micros: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
    }

    /// Scenario: filters on time and trace, joined and written in either order.
    /// Guarantees: they narrow what is looked at; what is not understood narrows nothing.
    #[test]
    fn filters_narrow() {
        let both = col("start_time").gt_eq(time(5)).and(time(9).gt(col("start_time")));
        assert_eq!(bounds(Table::Spans, &[both]), Bounds { min_us: 5, max_us: 10, traces: None });
        let nanos = col("start_unix_nano").lt(lit(2_500_i64));
        assert_eq!(bounds(Table::Spans, &[nanos]).max_us, 3);
        let either = col("start_time").gt_eq(time(5)).or(col("name").eq(lit("x")));
        assert_eq!(bounds(Table::Spans, &[either]), Bounds::default());
        let trace = [col("trace_id").in_list(vec![lit("a"), lit("b")], false), col("trace_id").eq(lit("b"))];
        assert_eq!(bounds(Table::Spans, &trace).traces, Some(vec!["b".to_owned()]));
        let few = col("trace_id").eq(lit("a")).or(lit("b").eq(col("trace_id"))).or(col("trace_id").eq(lit("c")));
        assert_eq!(bounds(Table::Spans, &[few]).traces, Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
        let mixed = col("trace_id").eq(lit("a")).or(col("name").eq(lit("b")));
        assert_eq!(bounds(Table::Spans, &[mixed]).traces, None);
        assert_eq!(bounds(Table::Events, &[col("start_time").gt_eq(time(5))]), Bounds::default());
    }
}
