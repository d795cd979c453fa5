//! Rows as CSV.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_csv::WriterBuilder;

/// Writes rows as CSV (RFC 4180). Lists and the like are written as text, since CSV has no form for them.
#[derive(Debug)]
pub struct Csv {
    schema: SchemaRef,
}

// === impl Csv ===

impl Csv {
    /// For rows of these columns.
    pub fn new(schema: &SchemaRef) -> Self {
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            kind if kind.is_nested() => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
            _ => Arc::clone(field),
        });
        Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())) }
    }

    /// The names of the columns.
    pub fn header(&self) -> Vec<u8> {
        self.write(&RecordBatch::new_empty(Arc::clone(&self.schema)), true).unwrap_or_default()
    }

    /// Some rows, without the header.
    pub fn rows(&self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let flat =
            |column: &ArrayRef| if column.data_type().is_nested() { as_text(column) } else { Ok(Arc::clone(column)) };
        let columns = batch.columns().iter().map(flat).collect::<Result<_, _>>()?;
        self.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?, false)
    }

    fn write(&self, batch: &RecordBatch, header: bool) -> Result<Vec<u8>, ArrowError> {
        let mut writer = WriterBuilder::new().with_header(header).build(Vec::new());
        writer.write(batch)?;
        Ok(writer.into_inner())
    }
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let mut texts = StringBuilder::new();
    for row in 0..column.len() {
        texts.append_option(column.is_valid(row).then(|| formatter.value(row).to_string()));
    }
    Ok(Arc::new(texts.finish()))
}
