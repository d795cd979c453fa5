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

use spanmill_tests::collector::{Collector, write_config};
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

/// Scenario: the configurations that README.md and the pages under `docs/` show are validated, as a reader would copy them.
/// Guarantees: each whole configuration (one that has a `service`) is valid.
#[test]
fn documented_configurations_are_valid() {
    let root = xtask::cache::root();
    let pages =
        fs::read_dir(root.join("docs")).expect("there is a folder of pages").flatten().map(|entry| entry.path());
    let pages: Vec<PathBuf> =
        pages.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    let folder = folder("documented");
    let mut count = 0;
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page can be read");
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            if block.lines().any(|line| line == "service:") {
                validates(&write_config(&folder, block));
                count += 1;
            }
        }
    }
    assert!(count > 0, "README.md shows a whole configuration");
    figure("configs", &format!("{count} configurations from README.md and docs/ validated"));
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
    let (text, error) = (fs::read_to_string(file).unwrap_or_default(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {error}\n{text}", file.display());
}

fn serves(file: &Path) {
    let text = fs::read_to_string(file).expect("a configuration can be read");
    let [grpc, http, health, sql, jaeger] = ports::several();
    let folder = folder("configs");
    let mut command = Command::new(spanmill());
    command.arg("--config").arg(file).env("SPANMILL_FILE", folder.path().join("spans.jsonl"));
    command.env("SPANMILL_STORE", folder.path().join("store"));
    let mut set = |what: String| {
        command.arg("--set").arg(what);
    };
    set(format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{grpc}"));
    set(format!("receivers.otlp.protocols.http.endpoint=127.0.0.1:{http}"));
    if text.contains("health_check:") {
        set(format!("extensions.health_check.endpoint=127.0.0.1:{health}"));
    }
    if text.contains("spanstore:") {
        set(format!("exporters.spanstore.sql.endpoint=127.0.0.1:{sql}"));
    }
    if text.contains("    jaeger:\n") {
        set(format!("exporters.spanstore.jaeger.endpoint=127.0.0.1:{jaeger}"));
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
