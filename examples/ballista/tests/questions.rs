//! The named questions, answered by Ballista and by the store itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::borrow::Cow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use spanmill_ballista::{Answer, ask};
use spanmill_query::{Limits, QueryService, Question, Request};
use spanmill_store::{Options, Store};
use spanmill_tests::oracle::{S3, interpreter};
use spanmill_tests::process::{Running, folder};
use spanmill_tests::wait::PATIENCE;
use spanmill_tests::{figure, ports};
use tokio::time::timeout;

#[path = "../../../crates/query/tests/support/mod.rs"]
mod support;

/// Files of the store: more than there are executors, so that both have something to read.
const SEALS: usize = 6;

/// A scheduler and two executors over a store.
struct Cluster {
    url: String,
    _scheduler: Running,
    executors: Vec<Running>,
}

// === impl Cluster ===

impl Cluster {
    fn start(store: &str, environment: &[(&'static str, String)]) -> Self {
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_spanmill-ballista"));
            command.args(arguments).args(["--store", store]).envs(environment.iter().cloned());
            command
        };
        let port = ports::free();
        let listen = format!("127.0.0.1:{port}");
        let mut scheduler =
            Running::start("scheduler", &mut command(&["scheduler", "--listen", &listen]), folder("scheduler"));
        scheduler.await_port(port);
        let executors = (0..2).map(|_| executor(&command, port)).collect();
        Self { url: format!("http://127.0.0.1:{port}"), _scheduler: scheduler, executors }
    }

    /// Files that stages left with each executor.
    fn left(&self) -> Vec<usize> {
        self.executors.iter().map(|executor| files(&executor.file("left"))).collect()
    }
}

/// An executor with one thread, once it has told the scheduler of itself: it listens for others after that.
fn executor(command: &impl Fn(&[&str]) -> Command, scheduler: u16) -> Running {
    let port = two_ports();
    let folder = folder("executor");
    let left = folder.path().join("left");
    std::fs::create_dir(&left).unwrap();
    let arguments = [
        "executor",
        "--threads",
        "1",
        "--scheduler-port",
        &scheduler.to_string(),
        "--listen",
        &format!("127.0.0.1:{port}"),
    ];
    let mut executor = Running::start("executor", command(&arguments).env("TMPDIR", &left), folder);
    executor.await_port(port);
    executor
}

/// The first of two free ports that follow each other.
fn two_ports() -> u16 {
    loop {
        let [one, two] = ports::several();
        if two == one + 1 {
            return one;
        }
    }
}

/// How many files are in a folder and those in it.
fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

/// The recorded morning in files, written in several goes.
async fn written(options: Options) -> Store {
    let century = Duration::from_secs(100 * 365 * 86_400);
    let store = Store::open(Options { max_past: century, max_future: century, ..options }, "writer").await.unwrap();
    let requests = support::requests();
    for some in requests.chunks(requests.len().div_ceil(SEALS)) {
        some.iter().for_each(|request| store.add(request, None));
        store.seal().await.unwrap();
    }
    store
}

/// A question about the whole morning.
fn request(question: &Question) -> Request {
    let given = [("since", "2026-11-26T04:00:00Z"), ("until", support::NOON)]
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
    question.request(given, support::NOON.parse().unwrap()).unwrap()
}

fn whole(answer: &Answer) -> RecordBatch {
    concat_batches(&answer.schema, &answer.batches).unwrap()
}

/// Rows as text, doubles with as many digits as do not depend on the order in which they were summed up.
fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<Vec<String>> = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Float32 | DataType::Float64 => {
                let column = cast(column, &DataType::Float64).unwrap();
                column
                    .as_primitive::<Float64Type>()
                    .iter()
                    .map(|value| value.map_or("null".to_owned(), |value| format!("{value:.9e}")))
                    .collect()
            }
            _ => {
                let texts = ArrayFormatter::try_new(column, &options).unwrap();
                (0..column.len()).map(|row| texts.value(row).to_string()).collect()
            }
        })
        .collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

/// Asks every question both ways and compares row by row. Gives how many rows there were, and how long each way took.
async fn compare(cluster: &Cluster, store: &Store) -> (usize, Duration, Duration) {
    let service = QueryService::new(store.clone(), Limits::default());
    let (mut count, mut alone, mut together) = (0, Duration::ZERO, Duration::ZERO);
    for question in Question::all() {
        let begin = Instant::now();
        let expected = support::ask(&service, request(question)).await;
        alone += begin.elapsed();
        let begin = Instant::now();
        let answer = timeout(PATIENCE, ask(&cluster.url, store, request(question))).await;
        let answer = answer.unwrap_or_else(|_| panic!("{}: no answer", question.name));
        together += begin.elapsed();
        let answer = whole(&answer.unwrap_or_else(|error| panic!("{}: {error}", question.name)));
        let names =
            |batch: &RecordBatch| batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(&answer), names(&expected), "{}", question.name);
        assert_eq!(rows(&answer), rows(&expected), "{}", question.name);
        count += expected.num_rows();
    }
    (count, alone, together)
}

/// Scenario: a store in a folder, a scheduler and two executors; every named question is asked of them and of the store itself, and one by the
/// command; then questions with limits that Ballista has not.
/// Guarantees: all rows are the same, executors had a part in them, the command shows its answer, and the limits are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder() {
    let place = folder("store");
    let path = place.path().to_str().unwrap();
    let store = written(Options { query_threads: 4, ..Options::new(path) }).await;
    let cluster = Cluster::start(path, &[]);
    let (count, alone, together) = compare(&cluster, &store).await;
    assert!(count > 100, "{count}");
    // Which of them the scheduler takes is its own business.
    let left = cluster.left();
    assert!(left.iter().any(|files| *files > 0), "{left:?}");
    figure(
        "ballista",
        &format!(
            "{} questions, {count} rows: {together:.1?} with two executors, {alone:.1?} alone",
            Question::all().len()
        ),
    );

    let shown = Command::new(env!("CARGO_BIN_EXE_spanmill-ballista"))
        .args(["ask", "SELECT count(*) AS spans FROM spans", "--store", path, "--scheduler", &cluster.url])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let spans: usize = support::requests().iter().map(spans_of).sum();
    assert!(shown.contains(&format!("| {spans} ")), "{shown}");

    for limited in [
        Request { tenant: Some("one".to_owned()), ..request(&Question::all()[0]) },
        Request { max_rows: Some(1), ..request(&Question::all()[0]) },
        Request { timeout: Some(Duration::from_secs(1)), ..request(&Question::all()[0]) },
    ] {
        assert!(ask(&cluster.url, &store, limited).await.unwrap_err().to_string().contains("limit"));
    }
}

fn spans_of(traces: &spanmill_otlp::Traces) -> usize {
    traces.resources().flat_map(|resource| resource.scopes()).map(|scope| scope.spans().count()).sum()
}

/// Scenario: the same in a bucket, which all of them reach.
/// Guarantees: all rows are the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket() {
    let Some(python) = interpreter("ballista over a bucket") else { return };
    let s3 = S3::start(&python);
    let object_store = s3.environment().into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let store = written(Options { query_threads: 4, object_store, ..Options::new("s3://spans/prod") }).await;
    let cluster = Cluster::start("s3://spans/prod", &s3.environment());
    let (count, ..) = compare(&cluster, &store).await;
    assert!(count > 100, "{count}");
}
