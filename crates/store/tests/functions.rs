//! Functions in SQL, on spans.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use futures_util::TryStreamExt;
use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_store::{Options, QueryOptions, Store};

async fn filled() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    store.add(&Traces::parse(request(Shape::Small, 2_000, 1)).unwrap(), None);
    store.seal().await.unwrap();
    store.add(&Traces::parse(request(Shape::Small, 1_000, 2)).unwrap(), None);
    (folder, store)
}

async fn rows(store: &Store, sql: &str) -> RecordBatch {
    let answer = store.query(sql, &QueryOptions::default()).await.unwrap();
    let schema = answer.schema.clone();
    let batches: Vec<RecordBatch> = answer.rows.try_collect().await.unwrap();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

async fn failure(store: &Store, sql: &str) -> String {
    match store.query(sql, &QueryOptions::default()).await {
        Err(error) => error.to_string(),
        Ok(answer) => answer.rows.try_collect::<Vec<_>>().await.unwrap_err().to_string(),
    }
}

/// Scenario: percentiles over the histograms of `usage_1m`, in files and in memory, by one group and by several.
/// Guarantees: they are within 4.5 % of the exact ones, also where the share is an argument and where numbers are counted.
#[tokio::test(flavor = "multi_thread")]
async fn percentiles() {
    let (_folder, store) = filled().await;
    let sql = "SELECT p50(duration_hist), p95(duration_hist), p99(duration_hist), percentile_hist(duration_hist, 0.95)
        FROM usage_1m GROUP BY model ORDER BY model";
    let exact = "SELECT approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ns), percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ns),
        percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ns), p95(duration_ns) FROM spans GROUP BY response_model ORDER BY response_model";
    let (found, exact) = (rows(&store, sql).await, rows(&store, exact).await);
    assert_eq!(found.num_rows(), 6);
    assert_eq!(exact.num_rows(), 6);
    for column in 0..4 {
        let exact = arrow::compute::cast(exact.column(column), &arrow::datatypes::DataType::Float64).unwrap();
        for row in 0..6 {
            let found = found.column(column).as_primitive::<Float64Type>().value(row);
            let exact = exact.as_primitive::<Float64Type>().value(row);
            assert!((found / exact - 1.0).abs() < 0.06, "{column} {row}: {found} {exact}");
        }
    }
    let none = rows(&store, "SELECT p95(ttft_hist) FROM usage_1m").await;
    assert!(none.column(0).is_null(0));
    assert!(failure(&store, "SELECT percentile_hist(duration_hist, 95) FROM usage_1m").await.contains("share"));
    assert!(failure(&store, "SELECT p95(model) FROM usage_1m").await.contains("histogram"));
}

/// Scenario: an attribute without a column of its own, and one of the resource.
/// Guarantees: both are found by name; `time_bucket` groups like `date_bin`.
#[tokio::test(flavor = "multi_thread")]
async fn attributes_and_buckets() {
    let (_folder, store) = filled().await;
    let sql = "SELECT count(*) FROM spans
        WHERE attr(attributes, 'gen_ai.request.max_tokens') = '4096' AND attr(resource, 'host.name') LIKE 'ip-10-%'
        AND attr(attributes, 'absent') IS NULL";
    assert_eq!(rows(&store, sql).await.column(0).as_primitive::<Int64Type>().value(0), 3_000);
    let differ =
        "SELECT count(*) FROM spans WHERE time_bucket('5m', start_time) <> date_bin(INTERVAL '5 minutes', start_time)
        OR time_bucket(INTERVAL '1 day', start_time) <> date_trunc('day', start_time)";
    assert_eq!(rows(&store, differ).await.column(0).as_primitive::<Int64Type>().value(0), 0);
    assert!(failure(&store, "SELECT time_bucket('5 parsecs', start_time) FROM spans").await.contains("parsecs"));
}

/// Scenario: functions and operators that make much out of little, over rows and over constants, at one go and by doubling; and the same
/// with what people ask for.
/// Guarantees: what is too much is refused before it is made, with the name of what would have made it; the rest answers as ever.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_makes_more_than_its_bound() {
    let (_folder, store) = filled().await;
    // A name of its own at each level: DataFusion takes projections of the same name and expression for one.
    let doubled = (0..16).fold("SELECT name AS a FROM spans".to_owned(), |inner, level| {
        let (a, b) = if level % 2 == 0 { ("a", "b") } else { ("b", "a") };
        format!("SELECT {a} || {a} AS {b} FROM ({inner})")
    });
    for (name, sql) in [
        ("repeat", "SELECT max(length(repeat(name, 2147483647))) FROM spans".to_owned()),
        ("repeat", "SELECT repeat('x', 2147483647)".to_owned()),
        ("lpad", "SELECT max(length(lpad(name, 2147483647))) FROM spans".to_owned()),
        ("rpad", "SELECT max(length(rpad(name, 1000000, 'xy'))) FROM spans".to_owned()),
        ("array_repeat", "SELECT array_repeat(name, 1000000000) FROM spans".to_owned()),
        ("array_resize", "SELECT array_resize(make_array(1), 1000000000)".to_owned()),
        ("replace", "SELECT length(replace(repeat('x', 1000000), 'x', repeat('y', 1000000)))".to_owned()),
        (
            "regexp_replace",
            "SELECT length(regexp_replace(repeat('x', 1000000), 'x', repeat('y', 1000000), 'g'))".to_owned(),
        ),
        ("concat", format!("SELECT concat({}) FROM spans", vec!["repeat(name, 1000)"; 16].join(","))),
        ("||", doubled),
    ] {
        let said = failure(&store, &sql).await;
        assert!(said.contains(&format!("{name} would make")), "{sql}: {said}");
    }
    assert!(failure(&store, "SELECT generate_series(1, 1000000000)").await.contains("generate_series"));
    let sql = "SELECT repeat('ab', 3), lpad('7', 3, '0'), rpad('7', 3, '0'), replace('aXb', 'X', '--'), regexp_replace('a1b2', '[0-9]', '_', 'g'),
        concat('a', NULL, 1), 'a' || 1 || 'b', CAST(NULL AS VARCHAR) || 'b', concat_ws('-', 'a', 'b'), array_repeat(1, 2)";
    let found = rows(&store, sql).await;
    let text = |column: usize| arrow::util::display::array_value_to_string(found.column(column), 0).unwrap();
    let texts: Vec<String> = (0..found.num_columns()).map(text).collect();
    assert_eq!(texts, ["ababab", "007", "700", "a--b", "a_b_", "a1", "a1b", "", "a-b", "[1, 1]"]);
    let found = rows(
        &store,
        "SELECT count(*) AS n FROM spans WHERE name || '!' LIKE '%!' AND lpad(name, 40) <> repeat(name, 2)",
    )
    .await;
    assert_eq!(found.column(0).as_primitive::<Int64Type>().value(0), 3_000);
}
