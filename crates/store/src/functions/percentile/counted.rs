//! The rows that percentiles are computed of.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;

use crate::histogram::Histogram;

/// A row that percentiles are computed of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted<'a> {
    /// A histogram, as a list of numbers.
    Histogram(&'a [i64]),
    /// A duration in nanoseconds.
    Duration(i64),
}

// === impl Counted ===

impl Counted<'_> {
    /// Hands out all rows that have a value, with their numbers.
    pub(super) fn each(rows: &ArrayRef, mut visit: impl FnMut(usize, Counted<'_>)) -> Result<()> {
        match rows.data_type() {
            DataType::List(_) => {
                let lists = rows.as_list::<i32>();
                let numbers = lists.values().as_primitive::<Int64Type>();
                for (row, bounds) in lists.value_offsets().windows(2).enumerate() {
                    let [begin, end] = *bounds else { continue };
                    let range = usize::try_from(begin).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
                    if let Some(list) = numbers.values().get(range).filter(|_| lists.is_valid(row)) {
                        visit(row, Counted::Histogram(list));
                    }
                }
            }
            DataType::Int64 => {
                for (row, number) in rows.as_primitive::<Int64Type>().iter().enumerate() {
                    if let Some(number) = number {
                        visit(row, Counted::Duration(number));
                    }
                }
            }
            other => return exec_err!("{other} is no histogram"),
        }
        Ok(())
    }

    pub(super) fn add_to(self, histogram: &mut Histogram) {
        match self {
            Self::Histogram(list) => histogram.merge(list),
            Self::Duration(nanos) => histogram.record(nanos),
        }
    }
}
