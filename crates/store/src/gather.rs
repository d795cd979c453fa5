//! Rows of several batches in another order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

/// Takes rows out of batches, some at a time, so that what was taken stays small.
pub(crate) struct Gather<'a> {
    schema: SchemaRef,
    columns: Vec<Source<'a>>,
}

/// Where the values of a column come from.
enum Source<'a> {
    /// One array a batch.
    Arrays(Vec<&'a dyn Array>),
    /// There are none: most spans leave most columns empty.
    Nulls(ArrayRef),
}

// === impl Gather ===

impl<'a> Gather<'a> {
    /// Takes from `batches`, of one schema, up to `most` rows at a time.
    pub(crate) fn new(schema: SchemaRef, batches: &'a [RecordBatch], most: usize) -> Self {
        let mut nulls: Vec<ArrayRef> = Vec::new();
        let columns = schema.fields().iter().enumerate().map(|(at, field)| {
            let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
            if arrays.iter().any(|array| array.null_count() < array.len()) {
                return Source::Arrays(arrays);
            }
            let known = nulls.iter().find(|array| array.data_type() == field.data_type()).cloned();
            Source::Nulls(known.unwrap_or_else(|| {
                let array = new_null_array(field.data_type(), most);
                nulls.push(Arc::clone(&array));
                array
            }))
        });
        let columns = columns.collect();
        Self { schema, columns }
    }

    /// The rows at these places: number of the batch, and of the row in it.
    pub(crate) fn rows(&self, places: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.iter().map(|source| match source {
            Source::Arrays(arrays) => interleave(arrays, places),
            Source::Nulls(array) => Ok(array.slice(0, places.len())),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?, &options)
    }
}
