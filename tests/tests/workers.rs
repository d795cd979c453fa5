//! Queries that several processes answer together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::Signal;
use serde_json::Value;
use spanmill_tests::http::Client;
use spanmill_tests::process::{Running, folder};
use spanmill_tests::served::{Served, demo};
use spanmill_tests::wait::{PATIENCE, pause, until};
use spanmill_tests::{figure, ports, spanmill};

const TOKEN: &str = "between-us";

/// Takes a second or more, and its answer is one number.
const SLOW: &str = "SELECT count(*) AS pairs FROM spans a, spans b WHERE a.duration_ns + b.duration_ns > 3 * abs(a.duration_ns - b.duration_ns)";

/// A worker for a store, with more options.
fn worker(store: &Path, port: u16, options: &[&str]) -> Running {
    let mut command = Command::new(spanmill());
    command
        .args(["query-worker", "--listen", &format!("127.0.0.1:{port}"), "--store"])
        .arg(store)
        .args(options)
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
    let store = served.collector.process.file("store");
    let mut workers = vec![worker(&store, one, &[]), worker(&store, two, &[])];
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

    let again = [worker(&store, one, &[]), worker(&store, two, &[])];
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

/// A store in several files, and the folder it is in.
fn stored() -> (tempfile::TempDir, PathBuf) {
    let folder = folder("store");
    let store = folder.path().join("store");
    for seed in ["1", "2", "3"] {
        demo(&["--calls", "1000", "--seed", seed, "--store", store.to_str().expect("a path in UTF-8")]);
    }
    (folder, store)
}

/// `spanmill query`, of the files of a store.
fn query(store: &Path, sql: &str, options: &[&str]) -> Command {
    let mut command = Command::new(spanmill());
    command
        .args(["query", sql, "--format", "json", "--timeout", "2m", "--store"])
        .arg(store)
        .args(options)
        .stdin(Stdio::null())
        .env_remove("SPANMILL_URL")
        .env("SPANMILL_WORKER_TOKEN", TOKEN);
    command
}

/// What a command wrote to stdout and to stderr, where it ended well.
fn told_by(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}: {err}", output.status);
    (out, err)
}

fn asked(command: &mut Command) -> (String, String) {
    told_by(&command.output().expect("spanmill starts"))
}

/// Scenario: the files of a store are asked by the command, alone and with two workers; one is killed while it computes, then the other as well; and
/// workers are named wrongly.
/// Guarantees: the answer is right each time, and the workers had a part in it; those that cannot be asked are told of; mistakes end at once, with
/// 1, and name the option.
#[test]
fn the_command_is_helped_by_workers() {
    let (_folder, store) = stored();
    let [one, two] = ports::several();
    let mut workers = vec![worker(&store, one, &[]), worker(&store, two, &[])];
    let (one, two) = (format!("127.0.0.1:{one}"), format!("localhost:{two}"));
    let helped = ["--worker", &one, "--worker", &two, "--worker-bytes-each", "1KiB"];
    let (truth, _) = asked(&mut query(&store, SLOW, &[]));
    assert_eq!(asked(&mut query(&store, SLOW, &helped)), (truth.clone(), String::new()));
    let (plan, _) = asked(&mut query(&store, &format!("EXPLAIN ANALYZE {SLOW}"), &helped));
    assert!(plan.contains("Network"), "{plan}");

    let before = workers[0].cpu_time().expect("a worker's time");
    let running = query(&store, SLOW, &helped).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let running = running.expect("spanmill starts");
    workers[0]
        .await_that("it computes", |worker| (worker.cpu_time()? > before + Duration::from_millis(100)).then_some(()));
    let mut killed = workers.remove(0);
    killed.signal(Signal::KILL);
    killed.await_end();
    let (answer, told) = told_by(&running.wait_with_output().expect("it ends"));
    assert_eq!(answer, truth);
    assert!(told.contains("a query worker is lost"), "{told}");
    drop(workers);
    let (answer, told) = asked(&mut query(&store, SLOW, &helped));
    assert_eq!(answer, truth);
    assert_eq!(told.matches("a query worker cannot be asked").count(), 2, "{told}");

    for (wrong, wanted) in [
        (&["--worker", "nowhere"][..], "missing port"),
        (&["--worker", &one, "--worker-token-file", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--worker", &one, "--worker-tls-ca", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--worker-tls"], "--worker"),
    ] {
        let output = query(&store, "SELECT 1", wrong).output().expect("spanmill starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(wanted), "{wrong:?}: {told}");
    }
    let output =
        Command::new(spanmill()).args(["query", "SELECT 1", "--worker", &one]).output().expect("spanmill starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--store"), "a server has workers of its own");
}

/// Scenario: two workers with TLS, asked by the command with a token from a file and their authority; with another token, and in the clear.
/// Guarantees: the first is helped; the others answer alone, say why, and do not say the token.
#[test]
fn the_command_and_workers_trust_each_other() {
    let (folder, store) = stored();
    let path = |name: &str| folder.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let (key, params) = (KeyPair::generate().unwrap(), CertificateParams::new(["worker".to_owned()]).unwrap());
    let (ca, cert, pem) = (path("ca.pem"), path("worker.pem"), path("worker.key"));
    std::fs::write(&ca, authority.pem()).unwrap();
    std::fs::write(&cert, params.signed_by(&key, &authority).unwrap().pem()).unwrap();
    std::fs::write(&pem, key.serialize_pem()).unwrap();
    let (right, wrong) = (path("right"), path("wrong"));
    std::fs::write(&right, format!("{TOKEN}\n")).unwrap();
    std::fs::write(&wrong, "a-guess").unwrap();

    let tls = ["--tls-cert", &cert, "--tls-key", &pem, "--tls-ca", &ca, "--tls-server-name", "worker"];
    let ports = ports::several::<2>();
    let _workers = ports.map(|port| worker(&store, port, &tls));
    let [one, two] = ports.map(|port| format!("127.0.0.1:{port}"));
    let named = ["--worker", &one, "--worker", &two, "--worker-bytes-each", "1KiB"];
    let secure = ["--worker-tls-ca", &ca, "--worker-tls-server-name", "worker"];
    let plan = "EXPLAIN ANALYZE SELECT service, count(*) FROM spans GROUP BY service";
    let ask =
        |options: &[&[&str]]| asked(query(&store, plan, &options.concat()).env("SPANMILL_WORKER_TOKEN", "unused"));
    let (answer, told) = ask(&[&named, &secure, &["--worker-token-file", &right]]);
    assert!(answer.contains("Network") && told.is_empty(), "{told}");
    for options in
        [&[&named[..], &secure, &["--worker-token-file", &wrong]][..], &[&named, &["--worker-token-file", &right]]]
    {
        let (answer, told) = ask(options);
        assert!(!answer.contains("Network"), "{answer}");
        assert_eq!(told.matches("a query worker cannot be asked").count(), 2, "{told}");
        assert!(!told.contains(TOKEN) && !told.contains("a-guess"), "{told}");
    }
}
