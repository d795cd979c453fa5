//! Queries that several processes answer together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use spanmill_tests::http::Client;
use spanmill_tests::process::{Running, folder};
use spanmill_tests::served::Served;
use spanmill_tests::wait::{PATIENCE, pause, until};
use spanmill_tests::{figure, ports, spanmill};

const TOKEN: &str = "between-us";

/// Takes a second or more, and its answer is one number.
const SLOW: &str = "SELECT count(*) AS pairs FROM spans a, spans b WHERE a.duration_ns + b.duration_ns > 3 * abs(a.duration_ns - b.duration_ns)";

/// A worker for the store of a server.
fn worker(served: &Served, port: u16) -> Running {
    let mut command = Command::new(spanmill());
    command
        .args(["query-worker", "--listen", &format!("127.0.0.1:{port}"), "--store"])
        .arg(served.collector.process.file("store"))
        .env("SPANMILL_WORKER_TOKEN", TOKEN);
    let mut running = Running::start("worker", &mut command, folder("worker"));
    running.await_port(port);
    running
}

/// What the server's log tells of workers that came and went.
fn told(served: &Served, what: &str) -> usize {
    served.collector.process.log().matches(what).count()
}

/// Scenario: a server whose spans are in files, and two workers that help it. A query runs that takes a while, and one of the workers is
/// killed; then the other; then both are there again.
/// Guarantees: the answer is right each time, or an error says within five seconds that there is none; whoever is left answers the next
/// query right; workers that come back are asked again.
#[test]
fn a_worker_is_killed_in_the_middle_of_a_query() {
    let ports = ports::several::<2>();
    let [one, two] = ports;
    let options = format!(
        "hot: {{max_age: 1s}}
    query: {{threads: 1, workers: {{endpoints: ['127.0.0.1:{one}', 'localhost:{two}'], token: {TOKEN}, bytes_each: 1KiB}}}}"
    );
    let served = Served::start(&options, &[], 4_000);
    let truth = served.ask(SLOW);
    let mut workers = vec![worker(&served, one), worker(&served, two)];
    until("both workers are known", PATIENCE, || (told(&served, "a query worker is there") == 2).then_some(()));
    until("spans are in files", PATIENCE, || {
        let plan = served.ask(&format!("EXPLAIN ANALYZE {SLOW}"));
        plan.iter().any(|row| row.to_string().contains("Network")).then_some(())
    });

    let begin = Instant::now();
    assert_eq!(served.ask(SLOW), truth, "with both workers");
    let whole = begin.elapsed();
    let (mut answers, mut errors, mut slowest) = (0, 0, Duration::ZERO);
    for part in [10, 3] {
        let client = Client::new();
        let url = served.url("/v1/sql");
        let asked = thread::spawn(move || {
            let begin = Instant::now();
            (client.post(&url, &[], SLOW.as_bytes()).expect("the server answers"), begin.elapsed())
        });
        pause(whole / part);
        let mut killed = workers.remove(0);
        killed.signal(Signal::KILL);
        killed.await_end();
        let (answer, took) = asked.join().expect("somebody asked");
        if answer.status == 200 {
            let pairs = answer.json()["rows"][0]["pairs"].clone();
            assert_eq!(Value::from(vec![pairs]), truth[0]);
            answers += 1;
        } else {
            assert!(took < Duration::from_secs(5), "{took:?}: {}", answer.text());
            errors += 1;
        }
        slowest = slowest.max(took);
        assert_eq!(served.ask(SLOW), truth, "with {} workers left", workers.len());
    }
    until("both are missed", PATIENCE, || (told(&served, "a query worker is lost") == 2).then_some(()));

    let again = [worker(&served, one), worker(&served, two)];
    until("both workers are known again", PATIENCE, || (told(&served, "a query worker is there") == 4).then_some(()));
    assert_eq!(served.ask(SLOW), truth, "with both workers again");
    drop(again);
    figure(
        "workers",
        &format!(
            "one of two workers killed in mid-query, then the other: {answers} right answers, {errors} errors, the slowest after \
             {slowest:.1?}; undisturbed it takes {whole:.1?}"
        ),
    );
}

/// Scenario: `query-worker` with a port that others reach and no token, and with a store that is not there.
/// Guarantees: both end at once, with 1, and say which option is wrong.
#[test]
fn a_worker_that_cannot_start_says_why() {
    let empty = folder("empty");
    let here = empty.path().to_str().expect("a path in UTF-8");
    for (store, listen, wanted) in
        [(here, "0.0.0.0:0", "--token"), ("/nowhere/at/all", "127.0.0.1:0", "/nowhere/at/all")]
    {
        let output = Command::new(spanmill())
            .args(["query-worker", "--store", store, "--listen", listen])
            .output()
            .expect("a worker starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(wanted), "{told}");
    }
}
