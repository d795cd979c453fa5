//! The forms that an answer is written in.

mod csv;
mod json;
mod names;

use std::io;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::writer::StreamWriter;

use crate::error::QueryError;

pub use csv::Csv;
pub use names::repeated_name;

/// A form that an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One object with columns, rows and what is to be known of them.
    Json,
    /// A line of JSON a row.
    Ndjson,
    /// Comma-separated values (RFC 4180) with a header.
    Csv,
    /// A stream of Arrow's inter-process format.
    Arrow,
}

/// Writes rows, part by part.
pub(crate) enum Encoder {
    /// The object around the rows is not written here.
    Json(json::Lines),
    Ndjson(json::Lines),
    Csv(csv::Csv),
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

// === impl Format ===

impl Format {
    /// All of them; the first one is what a client gets that accepts anything.
    pub const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Arrow];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// The form that the header `Accept` prefers; none where it accepts none of them.
    pub fn accepted(accept: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let wanted = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality =
                parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |text| text.parse().unwrap_or(0.0));
            let matches = |format: &Self| match wanted.as_str() {
                "*/*" | "" => true,
                "application/jsonl" | "application/ndjson" => *format == Self::Ndjson,
                wanted => match wanted.strip_suffix("/*") {
                    Some(kind) => format.media_type().split('/').next() == Some(kind),
                    None => format.media_type() == wanted,
                },
            };
            if let Some(format) = Self::ALL.into_iter().find(matches)
                && quality > 0.0
                && best.is_none_or(|(known, _)| quality > known)
            {
                best = Some((quality, format));
            }
        }
        best.map(|(_, format)| format)
    }
}

// === impl Encoder ===

impl Encoder {
    pub(crate) fn new(format: Format, schema: &SchemaRef) -> Result<Self, QueryError> {
        Ok(match format {
            Format::Json => Self::Json(json::Lines::of(schema)?),
            Format::Ndjson => Self::Ndjson(json::Lines::of(schema)?),
            Format::Csv => Self::Csv(csv::Csv::new(schema)),
            Format::Arrow => {
                let writer = StreamWriter::try_new(Vec::new(), schema);
                Self::Arrow(Box::new(writer.map_err(|error| QueryError::Store(error.to_string()))?))
            }
        })
    }

    /// What comes before the first row.
    pub(crate) fn begin(&mut self) -> Vec<u8> {
        match self {
            Self::Json(_) | Self::Ndjson(_) => Vec::new(),
            Self::Csv(csv) => csv.header(),
            Self::Arrow(writer) => std::mem::take(writer.get_mut()),
        }
    }

    pub(crate) fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match self {
            Self::Json(lines) | Self::Ndjson(lines) => lines.rows(batch),
            Self::Csv(csv) => csv.rows(batch),
            Self::Arrow(writer) => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// What comes after the last row.
    pub(crate) fn end(&mut self) -> Result<Vec<u8>, ArrowError> {
        match self {
            Self::Arrow(writer) => {
                writer.finish()?;
                Ok(std::mem::take(writer.get_mut()))
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// The name of a type, as people who write SQL know it.
pub fn type_name(kind: &DataType) -> String {
    let name = match kind {
        DataType::Null => "null",
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::UInt64 => "bigint unsigned",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytes",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamptz",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::FixedSizeList(field, _) => {
            return format!("{}[]", type_name(field.data_type()));
        }
        DataType::Dictionary(_, value) => return type_name(value),
        other => return other.to_string().to_ascii_lowercase(),
    };
    name.to_owned()
}

/// What cannot be written is the store's fault, not the caller's.
pub(crate) fn io_error(error: ArrowError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: headers that browsers, curl and clients send.
    /// Guarantees: the best known form is taken; none where none fits.
    #[test]
    fn accept() {
        assert_eq!(Format::accepted("*/*"), Some(Format::Json));
        assert_eq!(Format::accepted("text/html, text/csv;q=0.5, application/json;q=0.2"), Some(Format::Csv));
        assert_eq!(Format::accepted("application/x-ndjson"), Some(Format::Ndjson));
        assert_eq!(Format::accepted("application/vnd.apache.arrow.stream, */*;q=0.1"), Some(Format::Arrow));
        assert_eq!(Format::accepted("text/*"), Some(Format::Csv));
        assert_eq!(Format::accepted("text/html"), None);
        assert_eq!(Format::accepted("text/csv;q=0"), None);
    }
}
