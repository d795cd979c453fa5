//! The process is killed at any moment, again and again.
//!
//! The test runs itself as a child that takes spans, writes files and puts them together as fast as it can, and says which requests it has
//! acknowledged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures_util::TryStreamExt;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Traces, Value};
use spanmill_pipeline::{Context, Host, Node, Telemetry};
use spanmill_store::{Options, QueryOptions, Store};

const FOLDER: &str = "SPANSTORE_TEST_FOLDER";
const FIRST: &str = "SPANSTORE_TEST_FIRST";
const SPANS: usize = 20;

/// Files are written and put together all the time, and what is replaced is deleted at once.
fn exporter(folder: &Path) -> Arc<dyn Node> {
    let yaml = format!(
        "path: {}\nhot: {{max_bytes: 1MiB, max_age: 20ms}}\ncompaction: {{after: 0s, grace: 1ms, interval: 30ms}}\naccept: {{past: 876000h}}",
        folder.display()
    );
    let id: ComponentId = "spanstore".parse().unwrap();
    let section = Section::from_yaml("exporters::spanstore", &yaml).unwrap();
    (spanmill_spanstore::FACTORY.create)(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
        .unwrap()
}

/// A request whose spans carry its number.
fn request(number: u64) -> Traces {
    let bytes = spanmill_loadgen::shape::request(spanmill_loadgen::shape::Shape::Small, SPANS, number);
    let mut traces = Traces::parse(bytes).unwrap();
    let spans: Vec<_> = traces.span_ixs().collect();
    for ix in spans {
        traces.set_attribute(ix, "gen_ai.response.id", Value::Str(&format!("request-{number}")));
    }
    traces.freeze()
}

/// Not a test of its own: what the child process does.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let next = Arc::new(AtomicU64::new(std::env::var(FIRST).unwrap().parse().unwrap()));
    let exporter = exporter(Path::new(&folder));
    let host = Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0);
    exporter.start(&host).await.unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (exporter, next) = (Arc::clone(&exporter), Arc::clone(&next));
        senders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                exporter.consume(request(number).into()).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {number}").unwrap();
                out.flush().unwrap();
            }
        });
    }
    senders.join_all().await;
}

/// Runs a child, kills it so long after it has acknowledged its first request, or after its start, and gives the requests it acknowledged.
#[expect(clippy::disallowed_methods, reason = "it runs on a thread for blocking work, and what is waited for is time")]
fn run_and_kill(folder: &Path, first: u64, after: Duration, ready: bool) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.rsplit_once("acknowledged ")?.1.parse::<u64>().ok();
    let mut acknowledged = Vec::new();
    if ready {
        acknowledged.extend(lines.by_ref().find_map(number));
    }
    let reader = std::thread::spawn(move || lines.filter_map(number).collect::<Vec<_>>());
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(reader.join().unwrap());
    acknowledged
}

async fn stored(folder: &Path) -> HashMap<String, i64> {
    let store = Store::open_to_read(Options::new(folder.to_str().unwrap())).await.unwrap();
    let sql = "SELECT response_id, count(*) AS spans FROM spans GROUP BY response_id";
    let answer = store.query(sql, &QueryOptions::default()).await.unwrap();
    let rows: Vec<RecordBatch> = answer.rows.try_collect().await.unwrap();
    let of_batch = |rows: &RecordBatch| {
        let (ids, counts) =
            (rows.column(0).as_string_view().clone(), rows.column(1).as_primitive::<Int64Type>().clone());
        (0..ids.len()).map(|row| (ids.value(row).to_owned(), counts.value(row))).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_batch).collect()
}

const KILLS: u64 = 200;

/// Scenario: 200 times a process that takes spans, writes files, puts them together and deletes them is killed at some moment, and begun
/// again on the same folder; at last one ends well.
/// Guarantees: every request that was acknowledged is in the store as a whole and once; of those that were not, each is there once or not at all; the
/// process is ready again within 5 seconds.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_spans_are_stored_once() {
    if std::env::var(FOLDER).is_ok() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    let seed = fastrand::u64(..);
    println!("moments are chosen by the seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    for round in 0..KILLS {
        // Some moments are while it opens the store.
        let (after, ready) = (Duration::from_micros(chance.u64(..400_000)), chance.u8(..5) != 0);
        let (path, first) = (folder.path().to_owned(), round * 1_000_000);
        let more = tokio::task::spawn_blocking(move || run_and_kill(&path, first, after, ready)).await.unwrap();
        acknowledged.extend(more);
    }
    let began = Instant::now();
    let exporter = exporter(folder.path());
    let host = Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0);
    exporter.start(&host).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    exporter.shutdown().await.unwrap();

    let stored = stored(folder.path()).await;
    assert!(acknowledged.len() > 100, "only {} requests were acknowledged", acknowledged.len());
    let missing: Vec<_> =
        acknowledged.iter().filter(|number| !stored.contains_key(&format!("request-{number}"))).collect();
    assert!(missing.is_empty(), "{} of {} are lost: {missing:?}", missing.len(), acknowledged.len());
    let torn: Vec<_> = stored.iter().filter(|(_, spans)| **spans != SPANS as i64).collect();
    assert!(torn.is_empty(), "{} are doubled or torn: {torn:?}", torn.len());
    println!("{} requests acknowledged, {} stored", acknowledged.len(), stored.len());
}
