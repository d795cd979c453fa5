//! What the Go Collector answered to the same YAML and the same telemetry (`tests/differential`).

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use spanmill_tests::{figure, skipped, spanmill};

/// Scenario: every case of `tests/differential/cases`, against what the Go Collector answered when its answers were recorded; among
/// them the complete configurations of `tests/differential/configurations`.
/// Guarantees: spanmill answers the same in all but a few; `run.py` lists what differs, with the reason where one is known.
#[test]
fn answers_are_those_of_the_go_collector() {
    agreement("answers_are_those_of_the_go_collector", "run.py", 98.5);
}

/// Scenario: the connectors that make metrics and the Prometheus exporter, against recorded answers of the Go Collector.
/// Guarantees: series, values, exemplars and pages are the same, but for a few that are explained; times too, where they are not of now.
#[test]
fn metrics_are_those_of_the_go_collector() {
    agreement("metrics_are_those_of_the_go_collector", "metrics.py", 98.5);
}

/// Scenario: pipelines of logs and metrics through `resource`, `attributes` and what stands beside them in real files, and complete
/// configurations with all three signals, against recorded answers of the Go Collector.
/// Guarantees: what is accepted and what is changed is the same, but for what is explained.
#[test]
fn logs_and_metrics_are_those_of_the_go_collector() {
    agreement("logs_and_metrics_are_those_of_the_go_collector", "signals.py", 98.5);
}

/// Runs a script of `tests/differential`, which asks for `least` percent of agreement.
fn agreement(test: &str, script: &str, least: f64) {
    let Ok(version) = Command::new("python3").arg("--version").output() else {
        return skipped(test, "no python3");
    };
    assert!(version.status.success(), "python3 does not run");
    let output = Command::new("python3")
        .arg(xtask::cache::root().join("tests/differential").join(script))
        .arg("--exec")
        .arg(spanmill())
        .args(["--verbose", "--min", &least.to_string()])
        .output()
        .expect("the script runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let total = told.lines().find(|line| line.starts_with("TOTAL")).expect("a total");
    figure(script, total);
}
