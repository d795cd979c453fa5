//! Rows to Parquet.

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use super::properties;
use crate::manifest::FileStats;
use crate::schema::Table;

/// A file that is not written yet.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) stats: FileStats,
}

/// Encodes rows, which are sorted by time already.
pub(crate) fn encode(table: Table, rows: &RecordBatch, level: i32) -> Result<Encoded, ParquetError> {
    let mut out = Vec::with_capacity(rows.get_array_memory_size() / 4);
    let properties = properties(table, rows.num_rows() as u64, level)?;
    let mut writer = ArrowWriter::try_new(&mut out, table.schema(), Some(properties))?;
    writer.write(rows)?;
    writer.close()?;
    let (min_us, max_us) = time_range(table, rows).unwrap_or_default();
    let stats = FileStats { bytes: out.len() as u64, rows: rows.num_rows() as u64, min_us, max_us };
    Ok(Encoded { bytes: out.into(), stats })
}

/// The first and last time of some rows.
pub(crate) fn time_range(table: Table, rows: &RecordBatch) -> Option<(i64, i64)> {
    let times = rows.column_by_name(table.time_column())?.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some((min(times)?, max(times)?))
}
