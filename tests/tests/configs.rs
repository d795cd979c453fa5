//! The configurations that are shipped do what they say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spanmill_tests::collector::Collector;
use spanmill_tests::http::Client;
use spanmill_tests::process::folder;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{figure, ports, spanmill, spans};

/// Scenario: every file in `config/` is validated as it is, then started on free ports, asked for its health where it offers that,
/// and sent spans over HTTP. The backends it names are not there.
/// Guarantees: each is valid, starts, says that it is healthy, takes spans, and ends with success when asked to.
#[test]
fn every_shipped_configuration_works() {
    let files = shipped();
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        validates(file);
        serves(file);
    }
    figure("configs", &format!("{} shipped configurations validated and started", files.len()));
}

fn shipped() -> Vec<PathBuf> {
    let entries = fs::read_dir(xtask::cache::root().join("config")).expect("there is a folder of configurations");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn validates(file: &Path) {
    let output = Command::new(spanmill()).arg("validate").arg("--config").arg(file).stdin(Stdio::null()).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
}

fn serves(file: &Path) {
    let text = fs::read_to_string(file).expect("a configuration can be read");
    let [grpc, http, health] = ports::several();
    let folder = folder("configs");
    let mut command = Command::new(spanmill());
    command.arg("--config").arg(file).env("SPANMILL_FILE", folder.path().join("spans.jsonl"));
    let mut set = |what: String| {
        command.arg("--set").arg(what);
    };
    set(format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{grpc}"));
    set(format!("receivers.otlp.protocols.http.endpoint=127.0.0.1:{http}"));
    if text.contains("health_check:") {
        set(format!("extensions.health_check.endpoint=127.0.0.1:{health}"));
    }
    set("service.telemetry.metrics.level=none".to_owned());
    let mut collector = Collector::launch(&file.display().to_string(), &mut command, folder, &[grpc, http]);
    let client = Client::new();
    if text.contains("health_check:") {
        until("it says that it is healthy", PATIENCE, || {
            client.get(&format!("http://127.0.0.1:{health}/"), &[]).ok().filter(|answer| answer.status == 200)
        });
    }
    assert_eq!(client.export(http, &spans::request("configs", 1, 3)).status, 200);
    if text.contains("SPANMILL_FILE") {
        until("the spans are in the file", PATIENCE, || {
            (spans::ids(&collector.process.file("spans.jsonl")).len() == 3).then_some(())
        });
        collector.stop();
    }
}
