//! The commands about traces in a store, through the binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

const SPANS: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"invoke_agent","kind":1,"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":"1790000004000000000","status":{}},{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b8","parentSpanId":"00f067aa0ba902b7","name":"chat claude","kind":3,"startTimeUnixNano":"1790000001000000000","endTimeUnixNano":"1790000003000000000","attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1200"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"40"}}],"status":{"code":2}}]}]}]}
"#;

fn spanmill(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spanmill"));
    command.args(arguments).env_remove("SPANMILL_STORE").env_remove("SPANMILL_URL").output().unwrap()
}

fn out(arguments: &[&str]) -> String {
    let output = spanmill(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Scenario: a file is imported, its trace drawn and shown as JSON, the store exported and imported into a second one; then ids, files
/// and stores that are not there.
/// Guarantees: what goes in comes out; without a terminal there are neither colours nor bars; mistakes are errors that name their cause.
#[test]
fn traces_go_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, first, second, written) = (path("in.jsonl"), path("first"), path("second"), path("out.binpb"));
    fs::write(&file, SPANS).unwrap();
    let imported = spanmill(&["import", &file, "--store", &first]);
    assert_eq!(String::from_utf8_lossy(&imported.stderr), format!("{file}: 2 spans in 1 requests\n"));

    let drawn = out(&["trace", "4bf92f", "--store", &first, "--width", "100"]);
    assert!(
        !drawn.contains('\x1b') && drawn.contains("└ chat claude") && drawn.contains("1,200 → 40 tokens"),
        "{drawn}"
    );
    let shown: Value = serde_json::from_str(&out(&["trace", "4bf92f", "--store", &first, "--format", "json"])).unwrap();
    assert_eq!((&shown["duration_ns"], &shown["spans"][1]["depth"]), (&4_000_000_000_u64.into(), &1.into()));

    assert_eq!(out(&["export", "--store", &first, "--format", "proto", "--output", &written]), "");
    out(&["import", &written, "--store", &second]);
    let exported = out(&["export", "--store", &second]);
    assert_eq!(serde_json::from_str::<Value>(&exported).unwrap(), serde_json::from_str::<Value>(SPANS).unwrap());
    assert_eq!(out(&["export", "--store", &second, "--since", "2026-09-21T14:13:21Z"]).matches("spanId").count(), 1);
    assert_eq!(out(&["export", "--store", &second, "--until", "2020-01-01T00:00:00Z"]), "");

    for (arguments, error) in [
        (&["trace", "beef", "--store", &first][..], "no trace \"beef\" is in"),
        (&["import", &path("none"), "--store", &first], "none: "),
        (&["trace", "beef", "--store", &path("nowhere")], "nowhere"),
        (&["trace", "beef", "--url", "http://127.0.0.1:9"], "--store"),
        (&["query", "SELECT 1", "--store", folder.path().to_str().unwrap()], "no store is there"),
        (&["export", "--store", &first, "--since", "yesterday"], "is no time"),
        (&["export", "--store", &first, "--since", "1h", "--until", "2h"], "is not before"),
        (
            &["query", "SELECT interval '1 day'", "--store", &first, "--format", "parquet", "-o", &written],
            "Parquet cannot hold",
        ),
    ] {
        let output = spanmill(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(error), "{arguments:?}: {said}");
    }
}

/// Scenario: three files are imported, of which the second is cut off; then one that is not there, and one that is no OTLP, into a store that is not there.
/// Guarantees: the error says what is stored, what was not read, and that once more stores it twice; a file that is none makes no store.
#[test]
fn an_import_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (good, bad, last, store) = (path("good.jsonl"), path("bad.jsonl"), path("last.jsonl"), path("store"));
    fs::write(&good, format!("\u{feff}{SPANS}")).unwrap();
    fs::write(&bad, format!("{SPANS}{}", &SPANS[..300])).unwrap();
    fs::write(&last, SPANS).unwrap();
    let output = spanmill(&["import", &good, &bad, &last, "--store", &store]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("its first 2 spans are in the store") && said.contains("stores them twice"), "{said}");
    assert!(said.contains(&format!("not read: {last}")), "{said}");
    let none = path("none");
    fs::write(&bad, "{}{").unwrap();
    for name in ["nothing", &bad] {
        assert!(!spanmill(&["import", name, "--store", &none]).status.success());
        assert!(!fs::exists(&none).unwrap(), "{name}");
    }
}

/// Scenario: the same spans with and without `--genai`, in stores that a variable names.
/// Guarantees: only with it they have roles; a variable names a store for questions as well, and a flag goes before it.
#[test]
fn an_import_through_genai() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, raw, normal) = (path("in.jsonl"), path("raw"), path("normal"));
    fs::write(&file, SPANS).unwrap();
    out(&["import", &file, "--store", &raw]);
    out(&["import", "--genai", &file, "--store", &normal]);
    let owners = |flags: &[&str]| {
        let sql = "SELECT count(*) AS n FROM spans WHERE usage_role = 'owner'";
        let mut command = Command::new(env!("CARGO_BIN_EXE_spanmill"));
        command.args(["query", sql, "--format", "csv"]).args(flags);
        let output = command.env("SPANMILL_STORE", &normal).env_remove("SPANMILL_URL").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(owners(&[]), "n\n1\n");
    assert_eq!(owners(&["--store", &raw]), "n\n0\n");
}
