//! An answer.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// Whether there are more rows.
    pub truncated: bool,
}

// === impl Answer ===

impl Answer {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Leaves the first rows only.
    pub(crate) fn cut(&mut self, most: usize) {
        let mut left = most;
        for batch in &mut self.batches {
            let rows = batch.num_rows();
            if rows > left {
                *batch = batch.slice(0, left);
                self.truncated = true;
            }
            left -= batch.num_rows();
        }
        self.batches.retain(|batch| batch.num_rows() > 0);
    }
}
