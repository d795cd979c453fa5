//! `spanmill demo` shows the slow small calls, with nothing else installed, and sends them to a backend as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use spanmill_tests::jaeger::Jaeger;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{figure, spanmill};

/// Scenario: `spanmill demo` runs without a terminal, in an empty folder.
/// Guarantees: it succeeds and prints the table of slow small calls, in plain text, each with model, duration, tokens, cause and trace id.
#[test]
fn shows_the_slow_small_calls_without_a_terminal() {
    let output = demo(&[]);
    let table = String::from_utf8(output.stdout).expect("the table is text");
    assert!(!table.contains('\u{1b}'), "{table}");
    let header =
        table.lines().find(|line| line.contains("model") && line.contains("duration")).expect("a table has a header");
    for column in ["service", "model", "duration", "first token", "tokens in", "out", "cause", "trace"] {
        assert!(header.contains(column), "{column} in {header}");
    }
    let is_trace_id = |word: &str| word.len() == 32 && word.chars().all(|digit| digit.is_ascii_hexdigit());
    let calls = table.lines().filter(|line| line.split_whitespace().any(is_trace_id)).count();
    assert!(calls > 0, "{table}");
    figure("demo", &format!("{calls} slow small calls in the table"));
}

/// Scenario: `spanmill demo --to` a real Jaeger.
/// Guarantees: Jaeger finds by the tag `spanmill.slow_small=true` exactly the traces that the demo shows.
#[test]
fn what_it_shows_is_found_in_jaeger() {
    let Some(jaeger) = Jaeger::start("demo::what_it_shows_is_found_in_jaeger") else { return };
    let output = demo(&["--format", "json", "--to", &format!("127.0.0.1:{}", jaeger.grpc)]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let calls = report["slow_small"].as_array().expect("the report lists slow small calls");
    let list = |name: &'static str| calls.iter().map(move |call| call[name].as_str().expect("a name").to_owned());
    let shown: BTreeSet<String> = list("trace_id").collect();
    let services: BTreeSet<String> = list("service").collect();
    assert!(!shown.is_empty(), "{report}");
    let mut found = BTreeSet::new();
    until("jaeger has the traces", PATIENCE, || {
        let spans = services.iter().flat_map(|service| jaeger.spans(service, &[("spanmill.slow_small", "true")]));
        found = spans.map(|span| span.trace_id).collect();
        (found.len() >= shown.len()).then_some(())
    });
    assert_eq!(found, shown);
}

/// Runs the demo, which must succeed.
fn demo(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut command = Command::new(spanmill());
    command.arg("demo").args(arguments).current_dir(folder.path()).stdin(Stdio::null());
    let output = command.output().expect("the demo starts");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    output
}
