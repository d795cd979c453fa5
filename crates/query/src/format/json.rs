//! Rows as JSON.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;

/// An object a row, each on its line, with all columns also where they are null.
#[derive(Debug)]
pub(crate) struct Lines;

// === impl Lines ===

impl Lines {
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        writer.write(batch)?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}
