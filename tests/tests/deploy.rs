//! What stands in `deploy/` is what its tools accept.

use std::process::{Command, Output};

use spanmill_tests::skipped;
use xtask::cache::root;

/// Scenario: the Compose file, and a copy of it with a misspelt key, are loaded with the library that Docker Compose
/// itself uses.
/// Guarantees: the file is valid and starts spanmill, Jaeger and Tempo; the check does refuse a wrong one.
#[test]
fn compose_file_is_valid() {
    if !is_installed("go", "version") {
        return skipped("compose_file_is_valid", "no go");
    }
    let folder = tempfile::tempdir().unwrap();
    let checker = folder.path().join("compose");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&checker)
        .arg(".")
        .current_dir(root().join("tests/deploy/compose"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", text(&built));

    let file = root().join("deploy/compose.yaml");
    let accepted = Command::new(&checker).arg(&file).output().unwrap();
    assert!(accepted.status.success(), "{}", text(&accepted));
    assert_eq!(String::from_utf8_lossy(&accepted.stdout), "jaeger\nspanmill\ntempo\n");

    let misspelt = folder.path().join("compose.yaml");
    let wrong = std::fs::read_to_string(&file).unwrap().replace("cap_drop:", "cap_dropp:");
    std::fs::write(&misspelt, wrong).unwrap();
    let refused = Command::new(&checker).arg(&misspelt).output().unwrap();
    assert!(!refused.status.success());
    assert!(text(&refused).contains("cap_dropp"), "{}", text(&refused));
}

/// Scenario: the systemd units, with the path of a program that exists here, are checked by `systemd-analyze`.
/// Guarantees: they have no mistake, and the exposure of the service to the rest of the system is rated 2.0 or better.
#[test]
fn systemd_unit_is_valid() {
    if !is_installed("systemd-analyze", "--version") {
        return skipped("systemd_unit_is_valid", "no systemd-analyze");
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("spanmill.service");
    let shipped = std::fs::read_to_string(root().join("deploy/spanmill.service")).unwrap();
    std::fs::write(&unit, shipped.replace("/usr/bin/spanmill", "/bin/true")).unwrap();

    let socket = folder.path().join("spanmill.socket");
    std::fs::copy(root().join("deploy/spanmill.socket"), &socket).unwrap();

    let verified = Command::new("systemd-analyze").arg("verify").args([&unit, &socket]).output().unwrap();
    let said = text(&verified);
    // What systemd before 253 says of a type that it does not know, and does without.
    let known = |line: &&str| !line.ends_with("Failed to parse service type, ignoring: notify-reload");
    let mistakes: Vec<&str> = said.lines().filter(known).filter(|line| line.contains("spanmill.s")).collect();
    assert!(verified.status.success() && mistakes.is_empty(), "{mistakes:?}");

    let rated = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(rated.status.success(), "{}", text(&rated));
}

fn is_installed(program: &str, question: &str) -> bool {
    Command::new(program).arg(question).output().is_ok_and(|answer| answer.status.success())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
