//! What the Go Collector answered to the same YAML and the same spans (`tests/differential`).

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use spanmill_tests::{figure, skipped, spanmill};

/// Least agreement in percent.
const LEAST: f64 = 98.5;

/// Scenario: every case of `tests/differential/cases`, against what the Go Collector answered when its answers were recorded.
/// Guarantees: spanmill answers the same in all but a few; `run.py` lists what differs, with the reason where one is known.
#[test]
fn answers_are_those_of_the_go_collector() {
    let Ok(version) = Command::new("python3").arg("--version").output() else {
        return skipped("answers_are_those_of_the_go_collector", "no python3");
    };
    assert!(version.status.success(), "python3 does not run");
    let script = xtask::cache::root().join("tests/differential/run.py");
    let output = Command::new("python3")
        .arg(script)
        .arg("--exec")
        .arg(spanmill())
        .args(["--verbose", "--min", &LEAST.to_string()])
        .output()
        .expect("the script runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let total = told.lines().find(|line| line.starts_with("TOTAL")).expect("a total");
    figure("differential", total);
}
