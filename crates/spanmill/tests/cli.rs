//! The command line, through the binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const GOOD: &str = "
receivers: {nop: }
processors: {batch: {timeout: 1s}}
exporters: {nop: }
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [nop], processors: [batch], exporters: [nop]}}
";

fn spanmill(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spanmill"))
        .args(arguments)
        .env_remove("SPANMILL_WORKERS")
        .env("TOKEN", "sesame")
        .env("COLUMNS", "120")
        .output()
        .unwrap()
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// Exit code, stdout and stderr.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Scenario: help, for all commands that people meet first.
/// Guarantees: it is what was agreed on, and asking for it is a success.
#[test]
fn help() {
    let (code, out, err) = told(&spanmill(&["--help"]));
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!("help", out);
    for command in ["validate", "migrate", "print-config", "completion", "explain", "trace", "import", "export"] {
        let (code, out, _) = told(&spanmill(&[command, "--help"]));
        assert_eq!(code, 0);
        assert!(out.contains("Examples:"), "{out}");
    }
    let (code, out, _) = told(&spanmill(&["--version"]));
    assert_eq!((code, out.trim()), (0, concat!("spanmill ", env!("CARGO_PKG_VERSION"))));
}

/// Scenario: a file whose own telemetry has options without effect, one whose has none, and components that nothing uses.
/// Guarantees: both are valid; what has no effect is told on stderr. What only a pipeline would show to be wrong is no mistake.
#[test]
fn what_has_no_effect_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = "telemetry: {traces: {processors: [{batch: {}}]}, metrics: {level: none}";
    let less = file(&folder, "less.yaml", &GOOD.replace("telemetry: {metrics: {level: none}", telemetry));
    let warning = "warning: service::telemetry::traces::processors has no effect\n";
    assert_eq!(told(&spanmill(&["validate", "--config", &less])), (0, String::new(), warning.to_owned()));
    let unused = "processors: {attributes: {include: {match_type: strict, log_bodies: [a]}, actions: [{key: a, action: delete}]}, ";
    let unused = GOOD.replace("processors: {", unused)
        + "connectors: {count: , spanmetrics: , genai_metrics: , signal_to_metrics: {logs: [{name: a, sum: {value: '1'}}]}}\n";
    let unused = file(&folder, "unused.yaml", &unused);
    assert_eq!(told(&spanmill(&["validate", "--config", &unused])), (0, String::new(), String::new()));
}

/// Scenario: no configuration, one that does not exist, one with mistakes, flags that are wrong.
/// Guarantees: exit code 1, nothing on stdout, and a message without colours that names the mistake.
#[test]
fn mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = file(&folder, "unknown.yaml", &GOOD.replace("[batch]", "[batsh]"));
    let wrong_type = file(&folder, "type.yaml", &GOOD.replace("exporters: {nop: }", "exporters: {nop: , otlp_gprc: }"));
    let missing = folder.path().join("missing.yaml");
    let good = file(&folder, "good.yaml", GOOD);
    let cases: &[(&[&str], &str)] = &[
        (&[], "Error: at least one config flag must be provided\n"),
        (&["validate"], "Error: at least one config flag must be provided\n"),
        (&["--config", missing.to_str().unwrap()], "missing.yaml"),
        (
            &["validate", "--config", &unknown],
            "service::pipelines::traces: references processor \"batsh\" which is not configured, did you mean \"batch\"?",
        ),
        (&["--config", &unknown], "references processor \"batsh\""),
        (
            &["validate", "--config", &wrong_type],
            "unknown type: \"otlp_gprc\" for id: \"otlp_gprc\", did you mean \"otlp_grpc\"?",
        ),
        (&["validate", "--config", &good, "--set", "processors.batch.timeout"], "missing equal sign"),
        (&["validate", "--config", &good, "--set", "processors.batch.timeout=soon"], "processors::batch::timeout"),
        (&["print-config", "--config", &good, "--mode", "half"], "modes are: redacted, unredacted"),
        (&["print-config", "--config", &good, "--format", "xml"], "unrecognized print format: xml"),
        (&["--config", &good, "--shutdown-timeout", "soon"], "invalid duration"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = told(&spanmill(arguments));
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
        assert!(!err.contains('\u{1b}'), "{arguments:?}: {err}");
    }
}

/// Scenario: good configurations from one file, from two, from inline YAML, and with gates of the Collector.
/// Guarantees: each is valid, in silence.
#[test]
fn valid() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.yaml", GOOD);
    let more = file(&folder, "more.yaml", "processors: {batch: {send_batch_size: 7}}");
    let inline = format!("yaml:{GOOD}");
    let cases: &[&[&str]] = &[
        &["validate", "--config", &good],
        &["validate", "--config", &good, "--config", &more, "--set", "processors.batch.timeout=2s"],
        &["validate", "--config", &inline],
        &["validate", "--config", &good, "--feature-gates", "+ottl.functions.enableLambda"],
    ];
    for arguments in cases {
        assert_eq!(told(&spanmill(arguments)), (0, String::new(), String::new()), "{arguments:?}");
    }
}

/// Scenario: a configuration with a secret from the environment is shown in all ways.
/// Guarantees: merged and expanded; the secret is shown where that was asked for only.
#[test]
fn print_config() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = "exporters: {nop: , otlp_http: {endpoint: 'http://localhost:1', headers: {authorization: 'Bearer ${env:TOKEN}'}}}";
    let good = file(&folder, "good.yaml", &GOOD.replace("exporters: {nop: }", exporter));
    let set = ["--config", &good, "--set", "processors.batch.timeout=2s"];

    let (code, out, err) = told(&spanmill(&[&["print-config"], &set[..]].concat()));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("timeout: 2s") && out.contains("[REDACTED]") && !out.contains("sesame"), "{out}");

    let open = ["print-config", "--mode", "unredacted", "--format", "json"];
    let (code, out, _) = told(&spanmill(&[&open[..], &set[..]].concat()));
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(shown["exporters"]["otlp_http"]["headers"]["authorization"], "Bearer sesame");
    assert_eq!(shown["processors"]["batch"]["timeout"], "2s");
}

/// Scenario: the components are listed.
/// Guarantees: YAML as the Collector's, with every kind, its signals, and old names.
#[test]
fn components() {
    let (code, out, _) = told(&spanmill(&["components"]));
    assert_eq!(code, 0);
    let listed: serde_json::Value = serde_yaml::from_str(&out).unwrap();
    assert_eq!(listed["buildinfo"]["command"], "spanmill");
    let names = |kind: &str| -> Vec<String> {
        let components = listed[kind].as_array().unwrap().iter();
        components.map(|component| component["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names("receivers").contains(&"otlp".to_owned()));
    assert!(names("processors").contains(&"genai".to_owned()));
    assert!(names("exporters").contains(&"otlp_grpc".to_owned()));
    assert_eq!(
        names("connectors"),
        ["count", "failover", "forward", "genai_metrics", "routing", "signal_to_metrics", "span_metrics"]
    );
    assert_eq!(
        names("extensions"),
        [
            "api_keys",
            "basicauth",
            "bearertokenauth",
            "file_storage",
            "headers_setter",
            "health_check",
            "oidc",
            "pprof",
            "zpages"
        ]
    );
    let batch = listed["processors"].as_array().unwrap().iter().find(|one| one["name"] == "batch").unwrap();
    assert_eq!(batch["stability"]["traces"], "Beta");
    let forward = listed["connectors"].as_array().unwrap().iter().find(|one| one["name"] == "forward").unwrap();
    assert_eq!(forward["stability"]["traces-to-traces"], "Beta");
    assert_eq!(forward["stability"]["traces-to-logs"], "Undefined");
}

/// Scenario: completions for shells, and the feature gates.
/// Guarantees: scripts that name the commands; a table of gates; an unknown gate is an error.
#[test]
fn completions_and_gates() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = told(&spanmill(&["completion", shell]));
        assert!(code == 0 && out.contains("print-config"), "{shell}");
    }
    let (code, out, _) = told(&spanmill(&["featuregate"]));
    assert!(code == 0 && out.contains("ottl.functions.enableLambda"), "{out}");
    let (code, _, err) = told(&spanmill(&["featuregate", "nonsense"]));
    assert_eq!((code, err.as_str()), (1, "Error: feature \"nonsense\" not found\n"));
}

const SPANS: &str = r#"{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"openinference.instrumentation.openai"},"spans":[
{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"ChatCompletion","startTimeUnixNano":"1000000000","endTimeUnixNano":"7000000000",
"attributes":[{"key":"openinference.span.kind","value":{"stringValue":"LLM"}},{"key":"llm.model_name","value":{"stringValue":"gpt-4o-2024-08-06"}},
{"key":"llm.token_count.prompt","value":{"intValue":"38"}},{"key":"llm.token_count.completion","value":{"intValue":"142"}}]}]}]}]}"#;

/// Scenario: recorded spans as a document of several lines, as a line of the file exporter, and as protobuf that is none; with a configuration; by trace.
/// Guarantees: what was recognised, where values are from, and the price; as text and as a line of JSON a span; what cannot be read, and a trace
/// that is not there, end with 1 and say so.
#[test]
fn explain() {
    let folder = TempDir::new().unwrap();
    let (document, lines) = (file(&folder, "a.json", SPANS), file(&folder, "b.jsonl", &SPANS.replace('\n', "")));
    let (code, out, err) = told(&spanmill(&["explain", &document]));
    assert_eq!((code, err.as_str()), (0, ""));
    for wanted in
        ["source  openinference: the name of its scope", "usage   owner", "llm.token_count.prompt", "142 output x 10"]
    {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let (code, out, _) = told(&spanmill(&["explain", "--format", "json", "--trace", "0102", &lines]));
    let span: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &span["role"], &span["source"]),
        (0, &serde_json::json!("owner"), &serde_json::json!("openinference"))
    );

    let none = GOOD.replace("batch: {timeout: 1s}", "genai: {pricing: {table: none}}").replace("[batch]", "[genai]");
    let config = file(&folder, "config.yaml", &none);
    let (code, out, _) = told(&spanmill(&["explain", "--config", &config, &document]));
    assert!(code == 0 && out.contains("has no price"), "{out}");

    let garbage = file(&folder, "c.pb", "\u{1}garbage");
    for (arguments, named) in [
        (vec!["explain", "--trace", "ffff", &document], "no GenAI span was found"),
        (vec!["explain", &garbage], "c.pb"),
        (vec!["explain", "/there/is/none"], "/there/is/none"),
        (vec!["explain", "--config", &config, "--processor", "genai/b", &document], "genai/b"),
    ] {
        let (code, out, err) = told(&spanmill(&arguments));
        assert!(code == 1 && out.is_empty() && err.contains(named), "{arguments:?}: {err}");
    }
}
