//! The tables of the store: their columns, types, and where each value comes from.

mod attribute;
mod column;
mod content;
mod events;
mod links;
mod spans;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Field, Schema, SchemaRef};

pub use attribute::{AttributeColumn, Unit, attribute_column, span_column};
pub(crate) use column::{Column, Kind};
pub(crate) use content::CONTENT;
pub(crate) use events::EVENTS;
pub(crate) use links::LINKS;
pub(crate) use spans::{Origin, SPANS, SpanColumn, billionths, is_content, moved};

/// A table that is kept in files. Everything else is computed from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// One row a span.
    Spans,
    /// One row an event of a span.
    Events,
    /// One row a link of a span.
    Links,
    /// Prompts, completions and other large values, one row an attribute.
    Content,
    /// One row a minute, service, model and so on: counts, sums and histograms.
    #[serde(rename = "usage_1m")]
    Usage,
}

static SCHEMAS: LazyLock<[SchemaRef; 4]> = LazyLock::new(|| {
    let spans: Vec<&Column> = SPANS.iter().map(|column| &column.column).collect();
    [schema(&spans), schema(&refs(EVENTS)), schema(&refs(LINKS)), schema(&refs(CONTENT))]
});

// === impl Table ===

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Spans, Self::Events, Self::Links, Self::Content, Self::Usage];

    /// Its name in SQL, and of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Events => "events",
            Self::Links => "links",
            Self::Content => "content",
            Self::Usage => "usage_1m",
        }
    }

    /// Its schema.
    pub fn schema(self) -> SchemaRef {
        let [spans, events, links, content] = &*SCHEMAS;
        Arc::clone(match self {
            Self::Spans => spans,
            Self::Events => events,
            Self::Links => links,
            Self::Content => content,
            Self::Usage => return crate::rollup::schema(),
        })
    }

    /// Its columns: name, Arrow type, and what it holds.
    pub fn describe(self) -> Vec<(String, String, &'static str)> {
        let about =
            |name: &str| self.columns().iter().find(|column| column.name == name).map_or("", |column| column.about);
        let schema = self.schema();
        schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().to_string(), about(field.name())))
            .collect()
    }

    /// The column that rows are sorted by and that bounds in time are about.
    pub fn time_column(self) -> &'static str {
        match self {
            Self::Spans | Self::Links | Self::Content => "start_time",
            Self::Events => "time",
            Self::Usage => "minute",
        }
    }

    /// What makes a row the same as another of the same time, where it was delivered twice.
    pub(crate) fn key(self) -> &'static [&'static str] {
        match self {
            // Nobody removes a span of another tenant by sending one with its ids.
            Self::Spans => &["trace_id", "span_id", "tenant"],
            Self::Events | Self::Links => &["trace_id", "span_id", "index", "tenant"],
            Self::Content => &["trace_id", "span_id", "index", "key", "tenant"],
            Self::Usage => &[],
        }
    }

    /// What is known of a column beside its Arrow type.
    pub(crate) fn columns(self) -> Vec<&'static Column> {
        match self {
            Self::Spans => SPANS.iter().map(|column| &column.column).collect(),
            Self::Events => refs(EVENTS),
            Self::Links => refs(LINKS),
            Self::Content => refs(CONTENT),
            Self::Usage => Vec::new(),
        }
    }
}

fn refs(columns: &'static [Column]) -> Vec<&'static Column> {
    columns.iter().collect()
}

fn schema(columns: &[&Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|column| column.field()).collect::<Vec<Field>>()))
}
