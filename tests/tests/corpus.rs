//! The recorded corpus through the real binary: spans of some fifty real instrumentations, scored against what was really served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;

use spanmill_tests::process::{Running, folder};
use spanmill_tests::{corpus, figure, skipped};
use xtask::python;

/// Scenario: the recordings of the SDKs' own conventions, of the seed article and of the Anthropic SDK's own tracing.
/// Guarantees: at least 98 % of what can be known about the calls comes out right, for each group.
#[test]
fn the_main_sources_come_out_right() {
    let sources = ["otel-", "seed-article", "anthropic-sdk-native"];
    let Some(corpus) = corpus::beside("corpus main sources") else { return };
    let scored = sources.map(|source| score(&format!("corpus {source}"), &corpus, source, 98));
    let failed: Vec<String> =
        scored.into_iter().flatten().filter(|score| !score.enough).map(|score| score.report).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Scenario: all recordings that lie beside the clone.
/// Guarantees: at least 98 % of what can be known about the calls comes out right; no span is lost.
#[test]
fn the_whole_corpus_comes_out_right() {
    let Some(corpus) = corpus::beside("corpus whole") else { return };
    comes_out_right("corpus whole", &corpus, 98);
}

/// Scenario: the project's own recordings.
/// Guarantees: at least 97 % of what can be known about the calls comes out right; no span is lost. Many of them were chosen since they leave things out: see
/// `docs/genai-limits.md`.
#[test]
fn the_own_corpus_comes_out_right() {
    comes_out_right("corpus own", &corpus::own(), 97);
}

fn comes_out_right(test: &str, corpus: &Path, least: u32) {
    let Some(Score { enough, report }) = score(test, corpus, "", least) else { return };
    assert!(enough, "{report}");
    let counts = report.lines().find_map(|line| line.strip_prefix("--- spans sent ")).expect("the report counts spans");
    let (sent, came_out) = counts.split_once(", came out ").expect("the report counts spans");
    assert_eq!(sent, came_out, "spans sent, and spans that came out");
}

/// What the scoring program says.
struct Score {
    enough: bool,
    report: String,
}

/// Scores the sources whose name contains `source`, of which `least` per cent are to be right; `None` where it was skipped.
fn score(test: &str, corpus: &Path, source: &str, least: u32) -> Option<Score> {
    let Some((python, _)) = python::interpreter() else {
        skipped(test, "no python3");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(corpus::own().join("score.py")).arg("--corpus").arg(corpus).args([
        "--source",
        source,
        "--min",
        &least.to_string(),
    ]);
    command.arg("--exec").arg(format!("'{}' --config {{config}}", spanmill_tests::spanmill().display()));
    let mut process = Running::start("score", &mut command, folder("score"));
    let status = process.await_end();
    let report = process.log();
    let total = report.lines().find(|line| line.starts_with("TOTAL")).unwrap_or("no total");
    let total = total.split_whitespace().collect::<Vec<_>>().join(" ");
    figure(test, &format!("{total}, at least {least} % wanted"));
    Some(Score { enough: status.success(), report })
}
