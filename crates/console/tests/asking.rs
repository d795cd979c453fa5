//! The same questions of a server and of a store's files, in every form.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use spanmill_console::{Answer, Asked, Output, OutputFormat, Source, What};
use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_query::{Limits, QueryService, router, serve};
use spanmill_store::{Options, Store};
use tokio::net::TcpListener;

fn asked(question: &str) -> Asked {
    Asked { what: What::read(question), parameters: Vec::new(), limit: 100, timeout: Duration::from_secs(20) }
}

fn written(answer: &Answer, format: OutputFormat, width: Option<u16>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Output { format, width, colours: false }.write(answer, &mut bytes).unwrap();
    bytes
}

async fn filled(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    store.add(&Traces::parse(request(Shape::Small, 300, 1)).unwrap(), None);
    store.seal().await.unwrap();
    store
}

/// Scenario: SQL, a question, and a limit, asked of a server and of its files.
/// Guarantees: both answer the same; what is cut says so; mistakes tell where, and end with 1.
#[tokio::test(flavor = "multi_thread")]
async fn server_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = router(QueryService::new(store, Limits { rows: 250, ..Limits::default() }));
    tokio::spawn(serve(listener, routes, std::future::pending()));
    let path = folder.path().to_str().unwrap().to_owned();
    let asking = move || {
        let sources = [Source::server(&url).unwrap(), Source::store(Options::new(path), None).unwrap()];
        let sql = "SELECT span_id, duration_ns FROM spans WHERE duration_ns > $least ORDER BY span_id";
        let answers = sources.each_ref().map(|source| {
            let parameters = vec![("least".to_owned(), "5000000000".to_owned())];
            source.ask(&Asked { parameters, limit: 20, ..asked(sql) }).unwrap()
        });
        for answer in &answers {
            assert_eq!((answer.rows(), answer.truncated), (20, true));
        }
        assert_eq!(written(&answers[0], OutputFormat::Csv, None), written(&answers[1], OutputFormat::Csv, None));
        let most = sources[0].ask(&Asked { limit: 1_000, ..asked("SELECT span_id FROM spans") }).unwrap();
        assert_eq!((most.rows(), most.truncated), (250, true));
        for source in &sources {
            assert_eq!(source.ask(&asked("slow-small")).unwrap().rows(), 0);
            let error = source.ask(&asked("SELECT nothing FROM spans")).unwrap_err();
            assert_eq!(error.exit_code(), 1, "{error}");
            assert!(error.to_string().contains("nothing"), "{error}");
            assert!(source.ask(&asked("slow-smal")).unwrap_err().to_string().contains("slow-small"));
            let slow = "SELECT sum(a.duration_ns + b.duration_ns + c.duration_ns + d.duration_ns) FROM spans a, spans b, spans c, spans d";
            let error = source.ask(&Asked { timeout: Duration::from_millis(300), ..asked(slow) }).unwrap_err();
            assert_eq!(error.exit_code(), 3, "{error}");
            let (begin, found) = source.catalogue(&asked("x")).unwrap().complete("SELECT dur FROM calls", 10);
            assert_eq!((begin, &found[..2]), (7, &["duration_ns".to_owned(), "duration_s".to_owned()][..]));
        }
    };
    tokio::task::spawn_blocking(asking).await.unwrap();
    let nobody = tokio::task::spawn_blocking(|| {
        Source::server("http://127.0.0.1:9").unwrap().ask(&asked("SELECT 1")).unwrap_err()
    });
    assert_eq!(nobody.await.unwrap().exit_code(), 2);
}

/// Scenario: one answer in every form, and an answer without rows.
/// Guarantees: programs read back what was written; a table is as narrow as the terminal.
#[test]
fn forms() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    drop(runtime.block_on(filled(&folder)));
    let source = Source::store(Options::new(folder.path().to_str().unwrap()), None).unwrap();
    let sql = "SELECT 1 AS n, 'a|b' AS t, 0.123456789 AS x, [1, 2] AS l, NULL AS z, repeat('wide ', 30) AS w";
    let answer = source.ask(&asked(sql)).unwrap();
    let text = |format, width| String::from_utf8(written(&answer, format, width)).unwrap();
    assert!(
        text(OutputFormat::Json, None).starts_with("[{\"n\":1,\"t\":\"a|b\",\"x\":0.123456789,\"l\":[1,2],\"z\":null,")
    );
    assert_eq!(text(OutputFormat::Ndjson, None).lines().count(), 1);
    assert!(text(OutputFormat::Csv, None).starts_with("n,t,x,l,z,w\n1,a|b,0.123456789,\"[1, 2]\",,wide"));
    assert!(text(OutputFormat::Markdown, None).contains("| ---: | --- | ---: |"));
    assert!(text(OutputFormat::Markdown, None).contains("| 1 | a\\|b | 0.123457 |"));
    let table = text(OutputFormat::Table, Some(60));
    assert!(table.lines().all(|line| line.chars().count() <= 60), "{table}");
    assert!(table.ends_with("1 row\n"), "{table}");

    let arrow = written(&answer, OutputFormat::Arrow, None);
    let reader = arrow_ipc::reader::StreamReader::try_new(arrow.as_slice(), None).unwrap();
    assert_eq!(reader.schema(), answer.schema);
    let none = source.ask(&asked("SELECT * FROM spans WHERE FALSE")).unwrap();
    assert_eq!(written(&none, OutputFormat::Json, None), b"[]\n");
    let parquet = source.ask(&asked("SELECT * FROM spans LIMIT 3")).unwrap();
    let file = written(&parquet, OutputFormat::Parquet, None);
    assert_eq!(&file[..4], b"PAR1");
    assert!(String::from_utf8(written(&none, OutputFormat::Csv, None)).unwrap().starts_with("trace_id,span_id"));
}
