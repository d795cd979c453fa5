//! SQL over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use spanmill_query::{Limits, QueryService, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[allow(clippy::disallowed_methods)]
async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, body: collected.to_bytes().to_vec(), trailers }
}

async fn post(router: &Router, accept: &str, body: impl Into<Body>) -> Answer {
    send(router, Request::post("/v1/sql").header(header::ACCEPT, accept).body(body.into()).unwrap()).await
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Scenario: the same query in each form.
/// Guarantees: all four hold the same rows; types are named; null stays null.
#[tokio::test(flavor = "multi_thread")]
async fn forms() {
    let filled = support::morning().await;
    let router = router(QueryService::new(filled.store.clone(), Limits::default()));
    let sql = "SELECT 1 AS n, 'a,\"b\"' AS t, NULL AS z, TIMESTAMP '2026-11-26T10:00:00Z' AS at, [1, 2] AS l, 2.5 AS x";

    let answer = post(&router, "*/*", sql).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body["columns"][0], json!({ "name": "n", "type": "bigint" }));
    assert_eq!(body["columns"][4]["type"], "bigint[]");
    assert_eq!(
        body["rows"][0],
        json!({ "n": 1, "t": "a,\"b\"", "z": null, "at": body["rows"][0]["at"], "l": [1, 2], "x": 2.5 })
    );
    assert_eq!((&body["row_count"], &body["truncated"]), (&json!(1), &json!(false)));

    let answer = post(&router, "application/x-ndjson", sql).await;
    assert_eq!(serde_json::from_str::<Value>(answer.text().trim()).unwrap(), body["rows"][0]);
    assert_eq!(answer.trailers["spanmill-truncated"], "false");

    let answer = post(&router, "text/csv", sql).await;
    assert!(answer.text().starts_with("n,t,z,at,l,x\n1,\"a,\"\"b\"\"\",,2026-11-26T10:00:00"), "{}", answer.text());

    let answer = post(&router, "application/vnd.apache.arrow.stream", sql).await;
    let reader = arrow_ipc::reader::StreamReader::try_new(answer.body.as_slice(), None).unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);

    assert_eq!(post(&router, "image/png", sql).await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(post(&router, "text/csv", "SELECT * FROM spans WHERE FALSE").await.text().lines().count(), 1);
}

/// Scenario: joins whose columns have the same name, in each form, and CTEs that name each other twice, over and over.
/// Guarantees: JSON is refused with the name rather than lose a column, the other forms have all; the CTEs are refused before they grow.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_ctes() {
    let filled = support::empty().await;
    let router = router(QueryService::new(filled.store.clone(), Limits::default()));
    let sql = "SELECT * FROM (SELECT 1 a) x JOIN (SELECT 2 a) y ON x.a <> y.a";
    for form in ["application/json", "application/x-ndjson"] {
        let answer = post(&router, form, sql).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}: {}", answer.text());
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("\"a\"") && error.contains("AS"), "{error}");
    }
    assert_eq!(post(&router, "text/csv", sql).await.text(), "a,a\n1,2\n");
    assert_eq!(post(&router, "application/vnd.apache.arrow.stream", sql).await.status, StatusCode::OK);
    let mut sql = "WITH c0 AS (SELECT 1 x)".to_owned();
    for n in 0..25 {
        sql.push_str(&format!(", c{} AS (SELECT a.x FROM c{n} a, c{n} b)", n + 1));
    }
    let answer = post(&router, "*/*", sql + " SELECT count(*) FROM c25").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    assert!(answer.text().contains("uses of CTEs"), "{}", answer.text());
}

/// Scenario: parameters by position and by name, of every type, and in a limit.
/// Guarantees: they take their places; missing and senseless ones are refused with 400.
#[tokio::test(flavor = "multi_thread")]
async fn parameters() {
    let filled = support::morning().await;
    let router = router(QueryService::new(filled.store.clone(), Limits::default()));
    let ask = async |body: Value| post(&router, "*/*", body.to_string()).await;
    let sql = "SELECT count(*) AS n FROM spans WHERE start_time >= $1 AND service <> $2";
    let answer = ask(json!({ "sql": sql, "params": ["2026-11-26T00:00:00Z", "nobody"] })).await;
    assert!(answer.json()["rows"][0]["n"].as_i64().unwrap() > 800, "{}", answer.text());
    let answer = ask(json!({ "sql": "SELECT trace_id FROM spans LIMIT $most", "params": { "most": 3 } })).await;
    assert_eq!(answer.json()["row_count"], 3);
    let answer =
        ask(json!({ "sql": "SELECT $a + 1 AS a, $b AS b, $c AS c", "params": { "a": 1.5, "b": true, "c": null } }))
            .await;
    assert_eq!(answer.json()["rows"][0], json!({ "a": 2.5, "b": true, "c": null }));
    for wrong in [
        json!({ "sql": "SELECT $1", "params": [[1]] }),
        json!({ "sql": "SELECT $1", "params": 5 }),
        json!({ "sql": "SELECT $2", "params": [1] }),
        json!({ "sql": "SELECT 1", "timeout": "soon" }),
        json!({ "sql": "SELECT 1", "unknown": true }),
    ] {
        assert_eq!(ask(wrong.clone()).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// Scenario: statements that are wrong, and statements that are no queries.
/// Guarantees: each is refused with 400 and a reason, with the place where it is known; nothing is written. EXPLAIN is a query.
#[tokio::test(flavor = "multi_thread")]
async fn only_queries() {
    let filled = support::empty().await;
    let router = router(QueryService::new(filled.store.clone(), Limits::default()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    for sql in [
        format!("COPY (SELECT 1) TO '{}'", file.display()),
        "copy spans to '/tmp/x'".to_owned(),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}'", file.display()),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE VIEW v AS SELECT 1".to_owned(),
        "INSERT INTO spans SELECT * FROM spans".to_owned(),
        "DELETE FROM spans".to_owned(),
        "DROP TABLE spans".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{}'", file.display()),
        format!("EXPLAIN COPY (SELECT 1) TO '{}'", file.display()),
        format!("PREPARE p AS COPY (SELECT 1) TO '{}'", file.display()),
        String::new(),
    ] {
        let answer = post(&router, "*/*", sql.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{sql}: {}", answer.text());
        assert!(answer.json()["error"].as_str().is_some_and(|error| !error.is_empty()), "{sql}");
    }
    assert!(!file.exists());
    let answer = post(&router, "*/*", "SELECT\n  1 +").await;
    assert!(answer.json()["error"].is_string());
    let answer = post(&router, "*/*", "SELECT *\nFROM spans WHERE (nothing").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = post(&router, "*/*", "SELECT nothing FROM spans").await;
    assert_eq!(answer.json()["position"], json!({ "line": 1, "column": 8 }), "{}", answer.text());
    let answer = post(&router, "*/*", "SELECT 1 FRM\n spans x y").await;
    assert!(answer.json()["position"]["line"].is_u64(), "{}", answer.text());
    let answer = post(&router, "*/*", "EXPLAIN SELECT count(*) FROM spans").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

/// Scenario: answers with too many rows or bytes, statements that are too long or too complex, and queries that take too long.
/// Guarantees: the former are cut and say so; the others are refused with 413, 422 and 504.
#[tokio::test(flavor = "multi_thread")]
async fn limits() {
    let filled = support::morning().await;
    let small =
        Limits { rows: 100, bytes: 200_000, time: Duration::from_millis(500), text: 2_000, ..Limits::default() };
    let router = router(QueryService::new(filled.store.clone(), small));
    let answer = post(&router, "*/*", "SELECT trace_id FROM spans").await;
    assert_eq!((&answer.json()["row_count"], &answer.json()["truncated"]), (&json!(100), &json!(true)));
    let answer = post(&router, "text/csv", "SELECT trace_id FROM spans").await;
    assert_eq!(
        (answer.text().lines().count(), &answer.trailers["spanmill-truncated"]),
        (101, &"true".parse().unwrap())
    );
    let wide = "SELECT repeat(attributes, 100) AS a FROM spans WHERE attributes IS NOT NULL";
    let answer = post(&router, "application/x-ndjson", wide).await;
    assert!(answer.body.len() <= 200_000);
    assert_eq!(answer.trailers["spanmill-truncated"], "true");
    let answer = post(&router, "*/*", json!({ "sql": "SELECT trace_id FROM spans", "max_rows": 5 }).to_string()).await;
    assert_eq!(answer.json()["row_count"], 5);

    let long = format!("SELECT '{}'", "x".repeat(2_000));
    assert_eq!(post(&router, "*/*", long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post(&router, "*/*", "x".repeat(20_000)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unions = vec!["SELECT 1"; 120].join(" UNION ");
    assert_eq!(post(&router, "*/*", unions).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let cross = "SELECT sum(a.duration_ns + b.duration_ns + c.duration_ns) FROM spans a, spans b, spans c";
    let begin = std::time::Instant::now();
    let answer = post(&router, "*/*", cross).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{}", answer.text());
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(post(&router, "*/*", "SELECT count(*) FROM spans").await.status, StatusCode::OK);
}

/// Scenario: one query may run, one may wait, and three come.
/// Guarantees: the third is turned away at once with 429 and told when to try again; the others are stopped by their time.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_at_once() {
    let filled = support::morning().await;
    let limits = Limits {
        concurrent: 1,
        waiting: 1,
        time: Duration::from_secs(2),
        wait: Duration::from_secs(20),
        ..Limits::default()
    };
    let router = router(QueryService::new(filled.store.clone(), limits));
    let cross = "SELECT sum(a.duration_ns + b.duration_ns + c.duration_ns) FROM spans a, spans b, spans c";
    let (first, second, third) =
        tokio::join!(post(&router, "*/*", cross), post(&router, "*/*", "SELECT 1"), post(&router, "*/*", "SELECT 1"));
    assert_eq!(first.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(third.headers.contains_key(header::RETRY_AFTER));
}

/// Scenario: a client of a query that would run for a minute goes away; only one query may run.
/// Guarantees: the next client is answered long before that minute is over.
#[tokio::test(flavor = "multi_thread")]
async fn cancelled_when_the_client_goes() {
    let filled = support::morning().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits =
        Limits { concurrent: 1, time: Duration::from_secs(60), wait: Duration::from_secs(30), ..Limits::default() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, router(QueryService::new(filled.store.clone(), limits)), async {
        let _ = stopped.await;
    }));
    let request = |sql: &str| {
        format!("POST /v1/sql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{sql}", sql.len())
    };
    let mut slow = TcpStream::connect(address).await.unwrap();
    let cross = "SELECT sum(a.duration_ns + b.duration_ns + c.duration_ns) FROM spans a, spans b, spans c";
    slow.write_all(request(cross).as_bytes()).await.unwrap();
    // It runs once another one has to wait for it.
    let waits = Duration::from_millis(300);
    let mut probe = [0_u8; 1];
    assert!(tokio::time::timeout(waits, slow.read(&mut probe)).await.is_err());
    drop(slow);

    let begin = std::time::Instant::now();
    let mut next = TcpStream::connect(address).await.unwrap();
    next.write_all(request("SELECT 42 AS answer").as_bytes()).await.unwrap();
    let mut answer = String::new();
    next.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"answer\":42"), "{answer}");
    assert!(begin.elapsed() < Duration::from_secs(20));
    stop.send(()).unwrap();
    server.await.unwrap();
}

/// Scenario: the list of questions, one of them in two forms, one that does not exist, and a parameter that does not.
/// Guarantees: the list documents each; the rows are the same in both forms; mistakes get 404 and 400 with the nearest names.
#[tokio::test(flavor = "multi_thread")]
async fn questions() {
    let filled = support::morning().await;
    let router = router(QueryService::new(filled.store.clone(), Limits::default()));
    let list = get(&router, "/v1/questions").await.json();
    let names: Vec<&str> =
        list["questions"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 15);
    assert!(names.is_sorted());

    let period = "since=2026-11-26T00:00:00Z&until=2026-11-27";
    let answer = get(&router, &format!("/v1/questions/slow-small?{period}&limit=3")).await;
    assert_eq!((answer.status, &answer.json()["row_count"]), (StatusCode::OK, &json!(3)), "{}", answer.text());
    let tenant = get(&router, &format!("/v1/questions/slow-small?{period}&tenant=nobody")).await;
    assert_eq!(tenant.json()["row_count"], 0);

    let answer = get(&router, "/v1/questions/slow-smal").await;
    assert_eq!((answer.status, &answer.json()["nearest"][0]), (StatusCode::NOT_FOUND, &json!("slow-small")));
    let answer = get(&router, "/v1/questions/slow-small?colour=red").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("service"));
}
