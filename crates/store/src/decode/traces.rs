//! Whole traces out of the store.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use futures_util::TryStreamExt;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use super::{DecodeError, SpanTables, resource_spans};
use crate::session::QueryOptions;
use crate::store::Store;

/// A trace as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrace {
    /// Its id in lower-case hex.
    pub id: String,
    /// Its spans, earliest first.
    pub resource_spans: Vec<ResourceSpans>,
}

/// Which spans of a trace are wanted.
#[derive(Debug, Clone, Default)]
pub struct TraceOptions {
    /// Only spans of this tenant.
    pub tenant: Option<String>,
    /// Only spans that start between these times, in microseconds since 1970, both included. Less is read where they are known.
    pub window: Option<(i64, i64)>,
}

/// What is asked about all tables.
struct Asked<'a> {
    store: &'a Store,
    ids: &'a [String],
    options: &'a TraceOptions,
}

// === impl Store ===

impl Store {
    /// The traces of these ids, in lower-case hex and in this order; ids that are not known are left out. To ask for some hundred at a
    /// time bounds the memory that takes.
    pub async fn traces(&self, ids: &[String], options: &TraceOptions) -> Result<Vec<StoredTrace>, DecodeError> {
        let asked = Asked { store: self, ids, options };
        let spans = asked.rows("spans", options.window.map(|window| ("start_time", window)), "start_unix_nano").await?;
        let Some(window) = window(&spans)? else { return Ok(Vec::new()) };
        let events = match any(&spans, "event_count")? {
            // Events have times of their own, which clocks may have set anywhere.
            true => asked.rows("events", None, "index").await?,
            false => Vec::new(),
        };
        let links = match any(&spans, "link_count")? {
            true => asked.rows("links", Some(("start_time", window)), "index").await?,
            false => Vec::new(),
        };
        let content = asked.rows("content", Some(("start_time", window)), "index").await?;
        let mut traces = Vec::with_capacity(ids.len());
        let mut tables = [split(&spans)?, split(&events)?, split(&links)?, split(&content)?];
        for id in ids {
            let [spans, events, links, content] =
                tables.each_mut().map(|table| table.remove(id.as_str()).unwrap_or_default());
            if spans.is_empty() {
                continue;
            }
            let tables = SpanTables { spans: &spans, events: &events, links: &links, content: &content };
            traces.push(StoredTrace { id: id.clone(), resource_spans: resource_spans(tables)? });
        }
        Ok(traces)
    }
}

// === impl Asked ===

impl Asked<'_> {
    async fn rows(
        &self,
        table: &str,
        window: Option<(&str, (i64, i64))>,
        order: &str,
    ) -> Result<Vec<RecordBatch>, DecodeError> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut positional: Vec<ScalarValue> =
            self.ids.iter().map(|id| ScalarValue::Utf8View(Some(id.clone()))).collect();
        let places: Vec<String> = (1..=positional.len()).map(|at| format!("${at}")).collect();
        let mut sql = format!("SELECT * FROM {table} WHERE trace_id IN ({})", places.join(","));
        if let Some((column, (first, last))) = window {
            let at = positional.len();
            sql.push_str(&format!(" AND {column} >= ${} AND {column} <= ${}", at + 1, at + 2));
            let time = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
            positional.extend([time(first), time(last)]);
        }
        sql.push_str(&format!(" ORDER BY {order}"));
        let options = QueryOptions { positional, tenant: self.options.tenant.clone(), ..QueryOptions::default() };
        Ok(self.store.query(&sql, &options).await?.rows.try_collect().await?)
    }
}

/// The first and the last start of a span, or none where there is none.
fn window(spans: &[RecordBatch]) -> Result<Option<(i64, i64)>, DecodeError> {
    let mut window: Option<(i64, i64)> = None;
    for batch in spans {
        let times =
            batch.column_by_name("start_time").and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        for time in times.ok_or(DecodeError::Column("start_time"))?.iter().flatten() {
            let (first, last) = window.unwrap_or((time, time));
            window = Some((first.min(time), last.max(time)));
        }
    }
    Ok(window)
}

fn any(batches: &[RecordBatch], column: &'static str) -> Result<bool, DecodeError> {
    let mut any = false;
    for batch in batches {
        let counts = batch.column_by_name(column).ok_or(DecodeError::Column(column))?;
        any |= counts.null_count() < counts.len();
    }
    Ok(any)
}

/// Rows by trace, in their order.
fn split(batches: &[RecordBatch]) -> Result<HashMap<String, Vec<RecordBatch>>, DecodeError> {
    let mut split: HashMap<String, Vec<RecordBatch>> = HashMap::new();
    for batch in batches {
        let ids = batch.column_by_name("trace_id").and_then(|ids| ids.as_string_view_opt());
        let ids = ids.ok_or(DecodeError::Column("trace_id"))?;
        let mut distinct: Vec<&str> = ids.iter().flatten().collect();
        distinct.sort_unstable();
        distinct.dedup();
        if let [id] = distinct.as_slice() {
            split.entry((*id).to_owned()).or_default().push(batch.clone());
            continue;
        }
        for id in distinct {
            let wanted = ids.iter().map(|other| Some(other == Some(id))).collect();
            let rows = filter_record_batch(batch, &wanted).map_err(datafusion::error::DataFusionError::from)?;
            split.entry(id.to_owned()).or_default().push(rows);
        }
    }
    Ok(split)
}
