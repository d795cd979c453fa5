//! Columns of a batch, by name.

use arrow::array::{Array, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Int32Type, Int64Type};

use super::DecodeError;

/// A column of one of the types that values of spans have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    Text(&'a StringViewArray),
    Int(&'a Int64Array),
    Small(&'a Int32Array),
    Flag(&'a BooleanArray),
    /// Of a type that nothing is read from.
    Other,
}

// === impl Values ===

impl<'a> Values<'a> {
    /// The column of that name.
    pub(super) fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, DecodeError> {
        let column = batch.column_by_name(name).ok_or(DecodeError::Column(name))?;
        Ok(if let Some(text) = column.as_string_view_opt() {
            Self::Text(text)
        } else if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
            Self::Int(numbers)
        } else if let Some(numbers) = column.as_primitive_opt::<Int32Type>() {
            Self::Small(numbers)
        } else if let Some(flags) = column.as_boolean_opt() {
            Self::Flag(flags)
        } else {
            Self::Other
        })
    }

    pub(super) fn text(self, row: usize) -> Option<&'a str> {
        match self {
            Self::Text(column) if column.is_valid(row) => Some(column.value(row)),
            _ => None,
        }
    }

    pub(super) fn int(self, row: usize) -> Option<i64> {
        match self {
            Self::Int(column) if column.is_valid(row) => Some(column.value(row)),
            // Small numbers are unsigned where they come from.
            Self::Small(column) if column.is_valid(row) => Some(i64::from(column.value(row) as u32)),
            _ => None,
        }
    }

    pub(super) fn flag(self, row: usize) -> Option<bool> {
        match self {
            Self::Flag(column) if column.is_valid(row) => Some(column.value(row)),
            _ => None,
        }
    }

    /// A text that is nothing where there is none.
    pub(super) fn word(self, row: usize) -> String {
        self.text(row).unwrap_or_default().to_owned()
    }

    /// A number that is zero where there is none.
    pub(super) fn count(self, row: usize) -> u32 {
        self.int(row).and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    }

    /// The bytes of an id.
    pub(super) fn id(self, row: usize) -> Vec<u8> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
        let pairs = self.text(row).unwrap_or_default().as_bytes().as_chunks::<2>().0;
        pairs.iter().map(|[high, low]| digit(high) << 4 | digit(low)).collect()
    }
}
