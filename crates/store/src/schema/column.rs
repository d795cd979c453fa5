use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// A column of a table that is filled from spans.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name in SQL.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Whether every row has a value.
    pub(crate) required: bool,
    /// For the reference.
    pub(crate) about: &'static str,
}

/// What a column holds, which decides its type and how it is encoded in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of which few different ones exist, such as the name of a model.
    Word,
    /// Lower-case hex, or another text that hardly repeats.
    Id,
    /// JSON, or other long text.
    Json,
    /// A number.
    Int,
    /// A small number.
    Small,
    /// A time in microseconds since 1970; nanoseconds stand beside it.
    Time,
    /// A time in nanoseconds since 1970.
    Nanos,
    /// True, or not known to be.
    Flag,
}

// === impl Column ===

impl Column {
    pub(crate) const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: false, about }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, required: true, about }
    }

    pub(crate) fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), !self.required)
    }
}

// === impl Kind ===

impl Kind {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Word | Self::Id | Self::Json => DataType::Utf8View,
            Self::Int | Self::Nanos => DataType::Int64,
            Self::Small => DataType::Int32,
            // Microseconds, since DuckDB and Spark compare nanoseconds with nothing else.
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Flag => DataType::Boolean,
        }
    }
}
