//! A search as a query plan. What people typed is never part of a text that is parsed.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::prelude::{Expr, SessionContext, col, lit};
use spanmill_store::{Store, is_content};

use super::field::{Field, attribute, computed};
use super::query::{Search, Tag, time};
use super::tags;
use spanmill_store::Unit;

/// Trace and span.
type Ids = (String, String);

/// Runs it: trace, last and first start of a span, the newest first.
pub(super) async fn run(search: &Search, store: &Store) -> Result<Vec<RecordBatch>> {
    // One session, so that all of it is about one moment.
    let context = store.session(None)?;
    let mut wanted = spans(search);
    for tag in &search.tags {
        let mut holds = tags::on_span(tag);
        let elsewhere = elsewhere(&context, search, tag).await?;
        if !elsewhere.is_empty() {
            holds = holds.or(among(elsewhere));
        }
        wanted = wanted.and(holds);
    }
    let last = max(col("start_time")).alias("last");
    let first = min(col("start_time")).alias("first");
    let frame = context.table("spans").await?.filter(wanted)?;
    let frame = frame.aggregate(vec![col("trace_id")], vec![last, first])?;
    let order = vec![col("last").sort(false, false), col("trace_id").sort(true, false)];
    frame.sort(order)?.limit(0, Some(search.limit()))?.collect().await
}

/// What columns say.
fn spans(search: &Search) -> Expr {
    let mut wanted = between(search, "start_time");
    if let Some(service) = &search.service {
        wanted = wanted.and(col("service").eq(lit(service.as_str())));
    }
    if let Some(operation) = &search.operation {
        wanted = wanted.and(col("name").eq(lit(operation.as_str())));
    }
    if let Some(least) = search.duration_min_ns {
        wanted = wanted.and(col("duration_ns").gt_eq(lit(least)));
    }
    if let Some(most) = search.duration_max_ns {
        wanted = wanted.and(col("duration_ns").lt_eq(lit(most)));
    }
    wanted
}

fn between(search: &Search, column: &str) -> Expr {
    let mut wanted = lit(true);
    if let Some(first) = search.start_min_us {
        wanted = wanted.and(col(column).gt_eq(lit(time(first))));
    }
    if let Some(last) = search.start_max_us {
        wanted = wanted.and(col(column).lt_eq(lit(time(last))));
    }
    wanted
}

/// Spans that have the tag on an event, or among their large attributes.
async fn elsewhere(context: &SessionContext, search: &Search, tag: &Tag) -> Result<HashSet<Ids>> {
    let Tag { key, condition } = tag;
    let (table, wanted) = if is_content(key) {
        let value = Field::new(col("value"), Unit::Text).is(condition);
        ("content", between(search, "start_time").and(col("key").eq(lit(key.as_str()))).and(value))
    } else if spanmill_store::attribute_column(key).is_none() {
        // An event's own time may be anything.
        ("events", attribute("attributes", key, condition))
    } else {
        return Ok(HashSet::new());
    };
    let frame = context.table(table).await?.filter(wanted)?.select_columns(&["trace_id", "span_id"])?;
    let mut found = HashSet::new();
    for batch in frame.collect().await? {
        let [traces, spans] = batch.columns() else { continue };
        let ids = traces.as_string_view().iter().flatten().zip(spans.as_string_view().iter().flatten());
        found.extend(ids.map(|(trace, span)| (trace.to_owned(), span.to_owned())));
    }
    Ok(found)
}

fn among(ids: HashSet<Ids>) -> Expr {
    let ids = Arc::new(ids);
    computed("span_is", vec![col("trace_id"), col("span_id")], move |columns| {
        let [traces, spans] = columns else { return BooleanArray::new_null(0) };
        let rows = traces.iter().zip(spans.iter());
        let holds = rows.map(|(trace, span)| {
            let ids_of = (trace.unwrap_or_default().to_owned(), span.unwrap_or_default().to_owned());
            Some(ids.contains(&ids_of))
        });
        holds.collect()
    })
}
