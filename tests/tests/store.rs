//! The store as others see it: engines that read its files, and object stores that hold them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use spanmill_tests::collector::{Collector, write_config};
use spanmill_tests::http::Client;
use spanmill_tests::oracle::{S3, answers, interpreter};
use spanmill_tests::process::folder;
use spanmill_tests::served::{Served, demo, lists};
use spanmill_tests::{figure, ports, spanmill};

const BOTH: &[&str] = &["duckdb", "polars"];
const DUCKDB: &[&str] = &["duckdb"];

/// Questions in spanmill's SQL, in the others', and which others they are put to.
const QUESTIONS: &[(&str, &str, &[&str])] = &[
    (
        "SELECT count(*) AS n, sum(input_tokens) AS i, sum(output_tokens) AS o, sum(cost_nano) AS c FROM spans WHERE usage_role = 'owner'",
        "",
        BOTH,
    ),
    (
        "SELECT provider, request_model, count(*) AS n, avg(duration_ns) AS d, max(ttft_ns) AS t FROM spans GROUP BY provider, request_model ORDER BY provider NULLS LAST, request_model NULLS LAST",
        "",
        BOTH,
    ),
    ("SELECT service, count(*) AS n FROM spans WHERE slow_small GROUP BY service ORDER BY service", "", BOTH),
    ("SELECT trace_id, count(*) AS n FROM spans GROUP BY trace_id ORDER BY n DESC, trace_id LIMIT 20", "", BOTH),
    (
        "SELECT trace_id, span_id, start_unix_nano, duration_ns, input_tokens FROM spans WHERE duration_ns > 5000000000 AND input_tokens < 2000 AND finish_reason = 'stop' ORDER BY start_unix_nano, span_id",
        "",
        BOTH,
    ),
    (
        "SELECT error_class, status, count(*) AS n FROM spans WHERE status = 'error' GROUP BY error_class, status ORDER BY n DESC, error_class",
        "",
        BOTH,
    ),
    ("SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY name", "", BOTH),
    (
        "SELECT model, sum(calls) AS n, sum(input_tokens) AS i, sum(cost_nano) AS c FROM usage_1m GROUP BY model ORDER BY model NULLS LAST",
        "",
        BOTH,
    ),
    (
        "SELECT attr(attributes, 'gen_ai.request.temperature') AS t, count(*) AS n FROM spans GROUP BY t ORDER BY t NULLS LAST",
        "SELECT attributes->>'$.\"gen_ai.request.temperature\"' AS t, count(*) AS n FROM spans GROUP BY t ORDER BY t NULLS LAST",
        DUCKDB,
    ),
    (
        "SELECT count(*) AS n FROM spans WHERE false",
        "SELECT count(*) AS n FROM spans WHERE epoch_us(start_time) <> start_unix_nano // 1000",
        DUCKDB,
    ),
    (
        "SELECT request_model, round(percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ns) / 1e6) AS p FROM spans GROUP BY request_model ORDER BY request_model NULLS LAST",
        "SELECT request_model, round(quantile_cont(duration_ns, 0.95) / 1e6) AS p FROM spans GROUP BY request_model ORDER BY request_model NULLS LAST",
        DUCKDB,
    ),
    (
        "SELECT sum(list_sum) AS n FROM (SELECT array_length(duration_hist) AS list_sum FROM usage_1m)",
        "SELECT sum(len(duration_hist)) AS n FROM usage_1m",
        DUCKDB,
    ),
    (
        "SELECT service, model, sum(total_tokens) AS t, avg(tokens_per_second) AS r FROM calls GROUP BY service, model ORDER BY service, model NULLS LAST",
        concat!(
            "WITH calls AS (",
            include_str!("../../crates/store/src/views/calls.sql"),
            ") SELECT service, model, sum(total_tokens) AS t, avg(tokens_per_second) AS r FROM calls GROUP BY service, model ORDER BY service, model NULLS LAST"
        ),
        DUCKDB,
    ),
    (
        "SELECT * EXCLUDE (start_time) FROM traces ORDER BY trace_id",
        concat!(
            "WITH traces AS (",
            include_str!("../../crates/store/src/views/traces.sql"),
            ") SELECT * EXCLUDE (start_time) FROM traces ORDER BY trace_id"
        ),
        DUCKDB,
    ),
];

/// Scenario: a demo's store is read by DuckDB and Polars as plain Parquet files, and both are asked what spanmill is asked; DuckDB also
/// gets the SQL of the computed tables `calls` and `traces`.
/// Guarantees: all answers are the same, row by row.
#[test]
fn other_engines_agree() {
    let Some(python) = interpreter("store::other_engines_agree") else { return };
    let folder = folder("store");
    let store = folder.path().join("store");
    demo(&["--calls", "3000", "--store", store.to_str().unwrap()]);
    let questions: Vec<(&str, &[&str])> = QUESTIONS
        .iter()
        .map(|(own, other, engines)| (if other.is_empty() { *own } else { *other }, *engines))
        .collect();
    let others = answers(&python, &store, &questions);
    let mut rows = 0;
    for ((own, _, engines), other) in QUESTIONS.iter().zip(others) {
        let ours = query(own, store.to_str().unwrap(), &[]);
        rows += ours.len();
        for engine in *engines {
            let theirs = other[engine].as_array().unwrap();
            assert_eq!(ours.len(), theirs.len(), "{engine}: {own}");
            for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                assert!(same(ours, theirs), "{engine}, row {row} of {own}:\n{ours}\n{theirs}");
            }
        }
    }
    assert!(rows > 1000, "only {rows} rows were compared");
    figure("store", &format!("{} answers, {rows} rows, the same in DuckDB or Polars", QUESTIONS.len()));
}

/// Scenario: two spanmills write to the same folder of a bucket, on a server of the S3 API, and put hours together at once; then the bucket is
/// asked without either.
/// Guarantees: every span that was taken in is there once, and the slow small calls are those that the senders saw.
#[test]
fn a_bucket_is_shared() {
    let Some(python) = interpreter("store::a_bucket_is_shared") else { return };
    let s3 = S3::start(&python);
    let environment = s3.environment();
    let (mut spans, mut slow_small) = (0, Vec::new());
    let mut writers = Vec::new();
    for _ in 0..2 {
        let [grpc, sql] = ports::several();
        let config = format!(
            "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}}}}}}}
exporters:
  spanstore:
    path: s3://spans/store
    object_store: {{aws_endpoint: 'http://127.0.0.1:{}', aws_allow_http: 'true', aws_access_key_id: test, aws_secret_access_key: test, aws_region: us-east-1}}
    wal: {{directory: log}}
    hot: {{max_age: 200ms}}
    compaction: {{after: 0s, grace: 10s, interval: 300ms}}
    sql: {{endpoint: '127.0.0.1:{sql}'}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [spanstore]}}}}
",
            s3.port
        );
        let folder = folder("writer");
        let mut command = Command::new(spanmill());
        command.arg("--config").arg(write_config(&folder, &config));
        writers.push((Collector::launch("writer", &mut command, folder, &[grpc, sql]), grpc));
    }
    for (seed, (_, grpc)) in (1..).zip(&writers) {
        let (seed, to) = (seed.to_string(), format!("127.0.0.1:{grpc}"));
        let report = demo(&["--calls", "300", "--duration", "2s", "--seed", &seed, "--to", &to, "--format", "json"]);
        spans += report["spans"].as_u64().unwrap();
        let calls = report["slow_small"].as_array().unwrap().iter();
        slow_small.extend(calls.map(|call| call["trace_id"].as_str().unwrap().to_owned()));
    }
    for (writer, _) in &mut writers {
        writer.stop();
    }
    let ask = |sql: &str| query(sql, "s3://spans/store", &environment);
    let count = ask("SELECT count(*) AS n, count(DISTINCT trace_id || span_id) AS ids FROM spans");
    assert_eq!(count, [Value::from(vec![spans, spans])]);
    let mut found: Vec<String> = ask("SELECT trace_id FROM calls WHERE slow_small")
        .iter()
        .map(|row| row[0].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    slow_small.sort();
    assert_eq!(found, slow_small);
    assert!(!found.is_empty());
}

/// Scenario: queries that would take all time, memory, disk or stack, one after the other, while somebody asks for slow small calls all the time.
/// Guarantees: each is stopped within five seconds, most by a limit that its answer names; the other questions are answered meanwhile, all of
/// them within five seconds; the process stays alive and within its memory.
#[test]
fn hostile_queries_are_stopped() {
    let mut served = Served::start("query: {timeout: 2s, memory: 64MiB, threads: 1}", &[], 3_000);
    let unions = vec!["SELECT 1"; 10_000].join(" UNION ALL ");
    let nested = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let sum = format!("SELECT 1{}", " + 1".repeat(60_000));
    let hostile: &[(&str, &[u16])] = &[
        ("SELECT count(*) FROM spans a, spans b, spans c WHERE a.duration_ns + b.duration_ns > c.duration_ns", &[504]),
        (
            "SELECT a.attributes, b.name FROM spans a, spans b ORDER BY b.attributes, a.attributes, b.span_id",
            &[422, 504],
        ),
        ("SELECT string_agg(a.attributes, ',') FROM spans a, spans b", &[422, 504]),
        ("SELECT array_agg(a.span_id || b.span_id) FROM spans a, spans b", &[422, 504]),
        ("SELECT DISTINCT a.span_id || b.span_id || c.span_id FROM spans a, spans b, spans c", &[422, 504]),
        (&unions, &[413, 422]),
        (&nested, &[413, 422]),
        (&sum, &[413, 422]),
        ("SELECT count(*) FROM spans WHERE regexp_like(attributes, '((a{100}){100}){100}')", &[400, 422]),
        (
            "SELECT count(*) FROM spans WHERE regexp_like(repeat(attributes, 50), '(.*a.*b.*c.*)+(.*)*$')",
            &[200, 422, 504],
        ),
        ("SELECT length(repeat(repeat('x', 100000), 100000))", &[400, 422, 500, 504]),
        ("SELECT count(*) FROM generate_series(1, 9000000000000000000)", &[400, 422, 504]),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t", &[422, 504]),
        (
            "WITH RECURSIVE t AS (SELECT 'x' AS n UNION ALL SELECT n || n FROM t) SELECT max(length(n)) FROM t",
            &[422, 500, 504],
        ),
        ("COPY (SELECT 1) TO 'stolen.csv'", &[400]),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", &[400]),
    ];
    let stop = Arc::new(AtomicBool::new(false));
    let asking = std::thread::spawn({
        let (stop, client, url) = (Arc::clone(&stop), Client::new(), served.url("/v1/questions/slow-small?since=2h"));
        move || {
            let (mut count, mut slowest) = (0, Duration::ZERO);
            while !stop.load(Ordering::Relaxed) {
                let begin = Instant::now();
                let answer = client.get(&url, &[]).unwrap();
                assert!(answer.json()["row_count"].as_u64().unwrap() > 0);
                slowest = slowest.max(begin.elapsed());
                count += 1;
            }
            (count, slowest)
        }
    });
    let (client, url) = (Client::new(), served.url("/v1/sql"));
    for (query, statuses) in hostile {
        let begin = Instant::now();
        let answer = client.post(&url, &[], query.as_bytes()).expect("a hostile query is answered");
        let short: String = query.chars().take(100).collect();
        assert!(statuses.contains(&answer.status), "{short}: {} {}", answer.status, answer.text());
        assert!(begin.elapsed() < Duration::from_secs(5), "{short}: {:?}", begin.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    let (count, slowest) = asking.join().expect("all questions were answered");
    assert!(slowest < Duration::from_secs(5) && count > 20, "{count} answers, the slowest after {slowest:?}");
    let peak = served.collector.process.peak_memory().unwrap_or_default() >> 20;
    assert!(peak < 512, "{peak} MiB");
    assert!(!served.collector.process.file("stolen.csv").exists());
    served.collector.stop();
    let figures = format!(
        "{} hostile queries stopped, {count} others answered meanwhile, the slowest in {slowest:.1?}, {peak} MiB",
        hostile.len()
    );
    figure("store", &figures);
}

/// The rows of an answer, each as a list of values.
fn query(sql: &str, store: &str, environment: &[(&str, String)]) -> Vec<Value> {
    let output = Command::new(spanmill())
        .args(["query", sql, "--store", store, "--format", "json", "--limit", "1000000"])
        .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
        .current_dir(Path::new("/"))
        .output()
        .expect("a query starts");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<serde_json::Map<String, Value>> = serde_json::from_slice(&output.stdout).expect("the answer is JSON");
    lists(rows)
}

/// Whether two values are the same; sums of fractions may differ in their last digits.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            (ours - theirs).abs() <= 1e-9 * ours.abs().max(theirs.abs()) + 1e-12
        }
        _ => ours == theirs,
    }
}
