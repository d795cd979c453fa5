//! Parquet files of the store.

mod output;
mod properties;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::TimestampMicrosecondType;

pub(crate) use self::output::{EncodeError, Encoded, Output};
pub(crate) use self::properties::properties;
use crate::schema::Table;

/// The first and last time of some rows.
pub(crate) fn time_range(table: Table, rows: &RecordBatch) -> Option<(i64, i64)> {
    let times = rows.column_by_name(table.time_column())?.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some((min(times)?, max(times)?))
}
