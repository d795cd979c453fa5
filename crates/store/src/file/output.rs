//! A table of a piece that is being written, batch by batch.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use thiserror::Error;

use super::{properties, time_range};
use crate::manifest::FileStats;
use crate::rollup::roll_up;
use crate::schema::Table;

/// A table of a piece that is being written, and what the piece's `usage_1m` will have of it.
pub(crate) struct Output {
    table: Table,
    level: i32,
    writer: ArrowWriter<Vec<u8>>,
    rows: u64,
    /// Bytes that were taken away.
    taken: u64,
    range: Option<(i64, i64)>,
    /// Spans that are not counted yet.
    waiting: Vec<RecordBatch>,
    usage: Option<Box<Output>>,
}

/// A file that is in no folder yet.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// All of it but what was taken away by [`Output::take`].
    pub(crate) bytes: Bytes,
    pub(crate) stats: FileStats,
}

/// Rows could not be encoded.
#[derive(Debug, Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// Spans that are counted together for `usage_1m`.
const ROLL_UP: usize = 64 << 10;

// === impl Output ===

impl Output {
    /// For `rows` rows at most; `level` is zstd's.
    pub(crate) fn new(table: Table, rows: u64, level: i32) -> Result<Self, EncodeError> {
        let writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties(table, rows, level)?))?;
        Ok(Self { table, level, writer, rows: 0, taken: 0, range: None, waiting: Vec::new(), usage: None })
    }

    /// Adds rows, which go on in the order of time.
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), EncodeError> {
        let Some((first, last)) = time_range(self.table, &batch) else { return Ok(()) };
        self.range = Some(self.range.map_or((first, last), |(min, max)| (min.min(first), max.max(last))));
        self.rows += batch.num_rows() as u64;
        self.writer.write(&batch)?;
        if self.table == Table::Spans {
            self.waiting.push(batch);
            if self.waiting.iter().map(RecordBatch::num_rows).sum::<usize>() >= ROLL_UP {
                self.count_usage()?;
            }
        }
        Ok(())
    }

    fn count_usage(&mut self) -> Result<(), EncodeError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let usage = roll_up(&std::mem::take(&mut self.waiting))?;
        if usage.num_rows() == 0 {
            return Ok(());
        }
        let output = match self.usage.take() {
            Some(output) => output,
            None => Box::new(Self::new(Table::Usage, 0, self.level)?),
        };
        self.usage.insert(output).write(usage)
    }

    /// What is encoded by now, of each file: for those who write it away, so that no file is in memory as a whole.
    pub(crate) fn take(&mut self) -> Vec<(Table, Bytes)> {
        let bytes = std::mem::take(self.writer.inner_mut());
        self.taken += bytes.len() as u64;
        let mut taken = self.usage.as_mut().map(|usage| usage.take()).unwrap_or_default();
        if !bytes.is_empty() {
            taken.push((self.table, bytes.into()));
        }
        taken
    }

    /// The files: the table's own, and that of `usage_1m` where there is anything to count.
    pub(crate) fn finish(mut self) -> Result<Vec<(Table, Encoded)>, EncodeError> {
        self.count_usage()?;
        let bytes = Bytes::from(self.writer.into_inner()?);
        let (min_us, max_us) = self.range.unwrap_or_default();
        let stats = FileStats { bytes: self.taken + bytes.len() as u64, rows: self.rows, min_us, max_us };
        let mut files = vec![(self.table, Encoded { bytes, stats })];
        if let Some(usage) = self.usage {
            files.append(&mut usage.finish()?);
        }
        Ok(files)
    }
}
