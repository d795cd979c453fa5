//! Rows back to OTLP, as it came.
//!
//! Everything comes back: types of attributes, nanoseconds, flags, counts of what was dropped, schema URLs. Attributes that have a column
//! stand first, then those of the JSON, then the large ones of `content`; beyond that their order is kept.

mod columns;
mod group;
mod json;
mod parts;
mod span;
mod traces;

use arrow::array::RecordBatch;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use thiserror::Error;

use self::group::Groups;
use self::parts::Parts;
use self::span::SpanRows;

pub use self::json::{attribute_values, attributes};
pub use self::traces::{StoredTrace, TraceOptions};

/// Rows that are none of this store, or a query for them that failed.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The rows could not be read.
    #[error(transparent)]
    Query(#[from] datafusion::error::DataFusionError),
    /// The rows have no such column, or one of another type.
    #[error("rows without the column {0:?}")]
    Column(&'static str),
    /// A text is no JSON.
    #[error("attributes are no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Rows of the four tables that spans are kept in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanTables<'a> {
    /// Rows of `spans`.
    pub spans: &'a [RecordBatch],
    /// Rows of `events`.
    pub events: &'a [RecordBatch],
    /// Rows of `links`.
    pub links: &'a [RecordBatch],
    /// Rows of `content`.
    pub content: &'a [RecordBatch],
}

/// The spans of these rows, in their order; what was stored twice comes back once.
pub fn resource_spans(tables: SpanTables<'_>) -> Result<Vec<ResourceSpans>, DecodeError> {
    let mut parts = Parts::read(tables)?;
    let mut groups = Groups::default();
    for batch in tables.spans {
        let rows = SpanRows::new(batch)?;
        for row in 0..batch.num_rows() {
            let Some(parts) = parts.take(rows.ids(row)) else { continue };
            groups.push(rows.origin(row), rows.span(row, parts)?)?;
        }
    }
    Ok(groups.finish())
}
