//! Spans go in as OTLP and come out by SQL, from memory and from files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures_util::TryStreamExt;
use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_store::{Options, QueryOptions, Store};

async fn rows(store: &Store, sql: &str) -> Vec<RecordBatch> {
    let answer = store.query(sql, &QueryOptions::default()).await.unwrap();
    answer.rows.try_collect().await.unwrap()
}

async fn number(store: &Store, sql: &str) -> i64 {
    let rows = rows(store, sql).await;
    rows[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Scenario: spans are added, asked for, written to files, added again, and the store is opened anew.
/// Guarantees: every span counts once at every moment, in memory and in files.
#[tokio::test(flavor = "multi_thread")]
async fn memory_and_files_answer_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options::new(folder.path().to_str().unwrap());
    let store = Store::open(options(), "writer").await.unwrap();
    let traces = |seed| Traces::parse(request(Shape::Small, 500, seed)).unwrap();

    store.add(&traces(1), Some(7));
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 500);
    let sealed = store.seal().await.unwrap();
    assert_eq!((sealed.spans, sealed.through), (500, Some(7)));
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 500);
    store.add(&traces(2), Some(8));
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 1000);
    assert_eq!(number(&store, "SELECT count(DISTINCT trace_id || span_id) FROM spans").await, 1000);
    drop(store);

    let again = Store::open(options(), "writer").await.unwrap();
    assert_eq!(again.stored_through(), Some(7));
    assert_eq!(number(&again, "SELECT count(*) FROM spans").await, 500);
    for sql in [
        "SELECT * FROM spans LIMIT 1",
        "SELECT * FROM calls LIMIT 1",
        "SELECT * FROM traces LIMIT 1",
        "SELECT * FROM usage_1m",
    ] {
        println!("{}", arrow::util::pretty::pretty_format_batches(&rows(&again, sql).await).unwrap());
    }
}

/// Scenario: an hour is written in several pieces, some of its spans twice, and put together; then it is too old.
/// Guarantees: each span counts once after that, the minutes' sums are those of the spans, and in the end nothing is left.
#[tokio::test(flavor = "multi_thread")]
async fn hours_are_compacted_and_expire() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().to_str().unwrap());
    (options.compact_after, options.grace) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
    (options.max_past, options.max_future) = (std::time::Duration::from_secs(1 << 33), std::time::Duration::ZERO);
    let store = Store::open(options.clone(), "writer").await.unwrap();
    for seed in [1, 2, 1, 3] {
        store.add(&Traces::parse(request(Shape::Small, 300, seed)).unwrap(), None);
        store.seal().await.unwrap();
    }
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 1200);
    let done = store.upkeep().await.unwrap();
    assert!(done.compacted >= 4, "{done:?}");
    assert!(done.duplicates >= 300, "{done:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 900);
    assert_eq!(number(&store, "SELECT count(DISTINCT trace_id || span_id) FROM spans").await, 900);
    let wanted = "SELECT coalesce(sum(input_tokens), 0) FROM spans WHERE usage_role = 'owner' OR (usage_role IS NULL AND operation IS NOT NULL)";
    let sums = number(&store, wanted).await;
    assert!(sums > 0);
    assert_eq!(number(&store, "SELECT sum(input_tokens) FROM usage_1m").await, sums);
    let again = Store::open_to_read(options.clone()).await.unwrap();
    assert_eq!(number(&again, "SELECT count(*) FROM spans").await, 900);

    options.max_age = Some(std::time::Duration::ZERO);
    let store = Store::open(options, "writer").await.unwrap();
    let done = store.upkeep().await.unwrap();
    assert_eq!(done.expired_spans, 900);
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 0);
    store.upkeep().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("leases")).unwrap().count(), 0);
}

/// Scenario: an hour long ago was put together; a span of it comes late, and then as many as it has.
/// Guarantees: it is not written again for the one, but for the many; everything is found meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_is_not_written_again_for_every_late_span() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().to_str().unwrap());
    options.max_past = std::time::Duration::from_secs(1 << 33);
    let store = Store::open(options, "writer").await.unwrap();
    let add = async |spans: usize, seed: u64| {
        store.add(&Traces::parse(request(Shape::Small, spans, seed)).unwrap(), None);
        store.seal().await.unwrap();
        store.upkeep().await.unwrap().compacted
    };
    assert_eq!(add(4000, 1).await, 0);
    assert!(add(4000, 2).await > 0);
    assert_eq!(add(1, 3).await, 0);
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 8001);
    assert!(add(8000, 4).await > 0);
    assert_eq!(number(&store, "SELECT count(*) FROM spans").await, 16001);
}

/// Scenario: an event that happened an hour after its span began, among spans of other traces of that hour.
/// Guarantees: it is found by its trace, although its piece holds no span of that trace.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_later_hour_are_found() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
    use prost::Message;
    const HOUR: u64 = 3_600_000_000_000;
    let span = |trace: u8, hour: u64, event: u64| Span {
        trace_id: vec![trace; 16],
        span_id: vec![trace; 8],
        start_time_unix_nano: hour * HOUR + 1,
        end_time_unix_nano: event * HOUR + 2,
        events: vec![Event { time_unix_nano: event * HOUR + 1, name: "late".into(), ..Event::default() }],
        ..Span::default()
    };
    let spans = vec![span(1, 400_000, 400_001), span(2, 400_001, 400_001)];
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };

    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().to_str().unwrap());
    options.max_past = std::time::Duration::from_secs(1 << 33);
    let store = Store::open(options.clone(), "writer").await.unwrap();
    store.add(&Traces::parse(request.encode_to_vec().into()).unwrap(), None);
    store.seal().await.unwrap();
    for store in [store, Store::open_to_read(options).await.unwrap()] {
        let sql = format!("SELECT count(*) FROM events WHERE trace_id = '{}'", "01".repeat(16));
        assert_eq!(number(&store, &sql).await, 1);
    }
}
