//! Rows as JSON.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;

use super::names::repeated_name;
use crate::error::QueryError;

/// An object a row, each on its line, with all columns also where they are null.
#[derive(Debug)]
pub(crate) struct Lines;

// === impl Lines ===

impl Lines {
    /// For rows of these columns, each of which has a name of its own.
    pub(crate) fn of(schema: &Schema) -> Result<Self, QueryError> {
        match repeated_name(schema.fields()) {
            Some(name) => Err(QueryError::Request(format!(
                "several columns are called {name:?}, of which JSON would lose all but one; give it a name with AS, or ask for CSV or Arrow"
            ))),
            None => Ok(Self),
        }
    }

    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        writer.write(batch)?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}
