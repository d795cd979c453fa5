//! Plans pinned as snapshots: what a query reads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use spanmill_query::{QueryService, Request};

/// The physical plan, with a number in place of each file's name.
async fn plan(service: &QueryService, sql: &str) -> String {
    let rows = support::ask(service, Request { sql: format!("EXPLAIN {sql}"), ..Request::default() }).await;
    let texts = cast(rows.column_by_name("plan").unwrap(), &DataType::Utf8).unwrap();
    let kinds = cast(rows.column_by_name("plan_type").unwrap(), &DataType::Utf8).unwrap();
    let at = kinds.as_string::<i32>().iter().position(|kind| kind == Some("physical_plan")).unwrap();
    let mut plan = texts.as_string::<i32>().value(at).to_owned();
    while let Some(end) = plan.find(".parquet") {
        let begin = plan[..end].rfind('/').unwrap() + 1;
        plan.replace_range(begin..end + ".parquet".len(), "PIECE");
    }
    plan
}

fn files(plan: &str) -> usize {
    plan.matches("PIECE").count()
}

/// Scenario: a morning of four hours in files, each with a piece of its own.
/// Guarantees: a query of the last hour reads its piece alone; one of a trace the piece that has it; all of them without a bound.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read() {
    let filled = support::empty().await;
    for request in support::requests() {
        filled.store.add(&request, None);
    }
    filled.store.seal().await.unwrap();
    let service = support::service(&filled.store);
    let all = plan(&service, "SELECT count(duration_ns) FROM spans").await;
    assert!(files(&all) >= 4, "{all}");

    let hour = plan(
        &service,
        "SELECT service, sum(cost_nano) FROM calls WHERE start_time >= '2026-11-26T11:00:00Z' GROUP BY 1",
    )
    .await;
    assert_eq!(files(&hour), 1, "{hour}");
    insta::assert_snapshot!("the_last_hour", hour);

    let call = support::calls().into_iter().find(|call| call.answered).unwrap();
    let trace = plan(&service, &format!("SELECT * FROM spans WHERE trace_id = '{}'", call.trace_id)).await;
    assert_eq!(files(&trace), 1, "{trace}");
    let trace = plan(
        &service,
        &format!("SELECT name, duration_ns FROM spans WHERE trace_id = '{}' ORDER BY start_time", call.trace_id),
    )
    .await;
    insta::assert_snapshot!("a_trace", trace);

    let minutes = plan(
        &service,
        "SELECT model, p95(duration_hist) FROM usage_1m WHERE minute >= date_trunc('minute', TIMESTAMP '2026-11-26T11:30:10Z') GROUP BY 1",
    )
    .await;
    assert_eq!(files(&minutes), 1, "{minutes}");
    insta::assert_snapshot!("minutes", minutes);
    let none = plan(&service, "SELECT * FROM spans WHERE start_time < '2020-01-01T00:00:00Z'").await;
    assert_eq!(files(&none), 0, "{none}");
}
