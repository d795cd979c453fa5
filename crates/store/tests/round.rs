//! Spans go in as OTLP and come out by SQL, from memory and from files.

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
    for sql in ["SELECT * FROM spans LIMIT 1", "SELECT * FROM calls LIMIT 1", "SELECT * FROM traces LIMIT 1", "SELECT * FROM usage_1m"] {
        println!("{}", arrow::util::pretty::pretty_format_batches(&rows(&again, sql).await).unwrap());
    }
}
