//! Builders of the columns of a table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMicrosecondBuilder, new_null_array,
};
use arrow::datatypes::SchemaRef;

use crate::schema::{Column, Kind};

/// A value of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Cell<'a> {
    #[default]
    Null,
    Text(&'a str),
    Int(i64),
    Flag(bool),
}

/// Rows of a table that are being made.
#[derive(Debug)]
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Growing>,
    rows: usize,
    /// About how many bytes they take.
    bytes: usize,
    /// What a row takes at least: views and numbers, null or not.
    row_bytes: usize,
}

/// A column that is being made. Of most columns most rows have nothing: nulls are put in when a value follows, all at once.
#[derive(Debug)]
struct Growing {
    kind: Kind,
    builder: Builder,
    /// How many rows it has; those that follow are null.
    rows: usize,
}

#[derive(Debug)]
enum Builder {
    Text(StringViewBuilder),
    Int(Int64Builder),
    Small(Int32Builder),
    Time(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
}

/// Bytes of text are collected in blocks of this size; short texts stand in the views themselves.
const BLOCK: u32 = 64 << 10;

// === impl Rows ===

impl Rows {
    pub(crate) fn new<'a>(schema: SchemaRef, columns: impl Iterator<Item = &'a Column>) -> Self {
        let columns: Vec<Growing> = columns.map(|column| Growing::new(column.kind)).collect();
        let row_bytes = columns.iter().map(|column| column.builder.width()).sum();
        Self { schema, columns, rows: 0, bytes: 0, row_bytes }
    }

    /// Adds a row; `cells` are in the order of the columns, and those that are missing are null.
    pub(crate) fn push(&mut self, cells: &[Cell<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            if !matches!(cell, Cell::Null) {
                self.bytes += column.push(*cell, self.rows);
            }
        }
        self.rows += 1;
        self.bytes += self.row_bytes;
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows so far, which are no longer here; none where there are none.
    pub(crate) fn finish(&mut self) -> Option<RecordBatch> {
        if self.rows == 0 {
            return None;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(|column| column.finish(self.rows)).collect();
        (self.rows, self.bytes) = (0, 0);
        match RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options) {
            Ok(batch) => Some(batch),
            Err(error) => {
                // Columns of one length and of the schema's types make a batch; a required column is never given null.
                tracing::error!(%error, "rows do not fit their table");
                None
            }
        }
    }
}

// === impl Growing ===

impl Growing {
    fn new(kind: Kind) -> Self {
        Self { kind, builder: Builder::new(kind, 0), rows: 0 }
    }

    /// Appends a value as the row of that number, and says how many bytes that took beside the row's own.
    #[inline]
    fn push(&mut self, cell: Cell<'_>, row: usize) -> usize {
        if self.rows < row {
            self.builder.push_nulls(row - self.rows);
        }
        self.rows = row + 1;
        self.builder.push(cell)
    }

    /// The column with so many rows; it has none afterwards.
    fn finish(&mut self, rows: usize) -> ArrayRef {
        if self.rows == 0 {
            return new_null_array(&self.kind.data_type(), rows);
        }
        self.builder.push_nulls(rows - self.rows);
        self.rows = 0;
        // The next rows are as many as these, mostly.
        std::mem::replace(&mut self.builder, Builder::new(self.kind, rows)).finish()
    }
}

// === impl Builder ===

impl Builder {
    /// A builder with room for so many rows.
    fn new(kind: Kind, rows: usize) -> Self {
        let texts = || StringViewBuilder::with_capacity(rows).with_fixed_block_size(BLOCK);
        match kind {
            // The same few words again and again take their place once.
            Kind::Word => Self::Text(texts().with_deduplicate_strings()),
            Kind::Id | Kind::Json => Self::Text(texts()),
            Kind::Int | Kind::Nanos => Self::Int(Int64Builder::with_capacity(rows)),
            Kind::Small => Self::Small(Int32Builder::with_capacity(rows)),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC")),
            Kind::Flag => Self::Flag(BooleanBuilder::with_capacity(rows)),
        }
    }

    /// Bytes of a row, null or not.
    fn width(&self) -> usize {
        match self {
            Self::Text(_) => 16,
            Self::Int(_) | Self::Time(_) => 8,
            Self::Small(_) => 4,
            Self::Flag(_) => 1,
        }
    }

    /// Appends, and says how many bytes that took beside the row's own. A value of another type is null.
    #[inline]
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => {
                builder.append_value(text);
                return if text.len() > 12 { text.len() } else { 0 };
            }
            (Self::Int(builder), Cell::Int(number)) => builder.append_value(number),
            (Self::Small(builder), Cell::Int(number)) => builder.append_value(number as i32),
            (Self::Time(builder), Cell::Int(number)) => builder.append_value(number),
            (Self::Flag(builder), Cell::Flag(flag)) => builder.append_value(flag),
            (builder, _) => builder.push_nulls(1),
        }
        0
    }

    fn push_nulls(&mut self, count: usize) {
        match self {
            Self::Text(builder) => (0..count).for_each(|_| builder.append_null()),
            Self::Int(builder) => builder.append_nulls(count),
            Self::Small(builder) => builder.append_nulls(count),
            Self::Time(builder) => builder.append_nulls(count),
            Self::Flag(builder) => builder.append_nulls(count),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Int(mut builder) => Arc::new(builder.finish()),
            Self::Small(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Flag(mut builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Field, Int64Type, Schema};

    use super::*;

    /// Scenario: rows with nulls before the first value, between values and after the last one, a column without any value, a value of
    /// another column's type, and rows once more after those were taken.
    /// Guarantees: every value stands in its row, and everything else is null.
    #[test]
    fn values_stand_in_their_rows() {
        let columns =
            [Kind::Word, Kind::Int, Kind::Flag, Kind::Json].map(|kind| Column::new("column", kind, "for this test"));
        let fields = columns.iter().map(Column::field).collect::<Vec<Field>>();
        let mut rows = Rows::new(Arc::new(Schema::new(fields)), columns.iter());
        let long = "a text that is too long for a view";
        for turn in 0..2 {
            rows.push(&[]);
            rows.push(&[Cell::Text("short"), Cell::Null, Cell::Flag(true)]);
            rows.push(&[Cell::Null, Cell::Int(turn)]);
            rows.push(&[Cell::Text(long), Cell::Text("no number")]);
            rows.push(&[]);
            assert_eq!((rows.len(), rows.bytes()), (5, 5 * (16 + 8 + 1 + 16) + long.len()));
            let batch = rows.finish().unwrap();
            let words = batch.column(0).as_string_view().iter().collect::<Vec<_>>();
            assert_eq!(words, [None, Some("short"), None, Some(long), None]);
            let numbers = batch.column(1).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
            assert_eq!(numbers, [None, None, Some(turn), None, None]);
            let flags = batch.column(2).as_boolean().iter().collect::<Vec<_>>();
            assert_eq!(flags, [None, Some(true), None, None, None]);
            assert_eq!(batch.column(3).null_count(), 5);
            assert!(rows.finish().is_none());
        }
    }
}
