//! Builders of the columns of a table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMicrosecondBuilder,
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
    columns: Vec<Builder>,
    rows: usize,
    /// About how many bytes they take.
    bytes: usize,
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
        Self { schema, columns: columns.map(|column| Builder::new(column.kind)).collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row; `cells` are in the order of the columns, and those that are missing are null.
    pub(crate) fn push(&mut self, cells: &[Cell<'_>]) {
        let mut bytes = 0;
        let mut cells = cells.iter();
        for column in &mut self.columns {
            bytes += column.push(cells.next().copied().unwrap_or_default());
        }
        self.rows += 1;
        self.bytes += bytes;
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
        (self.rows, self.bytes) = (0, 0);
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(Builder::finish).collect();
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

// === impl Builder ===

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            // The same few words again and again take their place once.
            Kind::Word => Self::Text(StringViewBuilder::new().with_fixed_block_size(BLOCK).with_deduplicate_strings()),
            Kind::Id | Kind::Json => Self::Text(StringViewBuilder::new().with_fixed_block_size(BLOCK)),
            Kind::Int | Kind::Nanos => Self::Int(Int64Builder::new()),
            Kind::Small => Self::Small(Int32Builder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
        }
    }

    /// Appends, and says how many bytes that took.
    #[inline]
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => {
                builder.append_value(text);
                16 + if text.len() > 12 { text.len() } else { 0 }
            }
            (Self::Text(builder), _) => {
                builder.append_null();
                16
            }
            (Self::Int(builder), Cell::Int(number)) => {
                builder.append_value(number);
                8
            }
            (Self::Int(builder), _) => {
                builder.append_null();
                8
            }
            (Self::Small(builder), Cell::Int(number)) => {
                builder.append_value(number as i32);
                4
            }
            (Self::Small(builder), _) => {
                builder.append_null();
                4
            }
            (Self::Time(builder), Cell::Int(number)) => {
                builder.append_value(number);
                8
            }
            (Self::Time(builder), _) => {
                builder.append_null();
                8
            }
            (Self::Flag(builder), Cell::Flag(flag)) => {
                builder.append_value(flag);
                1
            }
            (Self::Flag(builder), _) => {
                builder.append_null();
                1
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
        }
    }
}
