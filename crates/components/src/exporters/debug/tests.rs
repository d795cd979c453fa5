use std::path::Path;

use bytes::Bytes;
use spanmill_config::Section;
use spanmill_otlp::{Limits, Opaque, Signal, Traces, json};
use spanmill_pipeline::Telemetry;

use super::*;

/// Requests with every field of every message.
fn batch(signal: Signal) -> Batch {
    let text = match signal {
        Signal::Traces => &include_bytes!("../../../../otlp/testdata/traces.in.json")[..],
        Signal::Metrics => include_bytes!("../../../../otlp/testdata/metrics.in.json"),
        Signal::Logs => include_bytes!("../../../../otlp/testdata/logs.in.json"),
    };
    let encoded = Bytes::from(json::to_protobuf(signal, text, &Limits::default()).unwrap());
    match signal {
        Signal::Traces => Traces::parse(encoded).unwrap().into(),
        _ => Opaque::parse(signal, encoded).unwrap().into(),
    }
}

fn exporter(options: &str) -> Result<Arc<dyn Node>, ConfigError> {
    let section = Section::from_yaml("exporters::debug", options).unwrap();
    let id = "debug".parse().unwrap();
    create(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

fn host() -> Host {
    Host::new(std::collections::HashMap::default(), tokio::sync::mpsc::unbounded_channel().0)
}

async fn written(path: &Path, options: &str, batches: Vec<Batch>) -> String {
    let options = format!("use_internal_logger: false\noutput_paths: [{}]\n{options}", path.display());
    let exporter = exporter(&options).unwrap();
    exporter.start(&host()).await.unwrap();
    for batch in batches {
        exporter.consume(batch).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    std::fs::read_to_string(path).unwrap()
}

/// Without the bounds of exponential buckets: Go's exponential function differs in the last digit.
fn comparable(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("e{}")).collect()
}

/// Scenario: every message of every signal, in the three verbosities.
/// Guarantees: the text is what the Go Collector 0.161.0 wrote for the same requests.
#[tokio::test]
async fn as_the_go_collector() {
    let folder = tempfile::tempdir().unwrap();
    for (verbosity, signal, expected) in [
        ("basic", Signal::Traces, include_str!("testdata/traces.basic.txt")),
        ("basic", Signal::Metrics, include_str!("testdata/metrics.basic.txt")),
        ("basic", Signal::Logs, include_str!("testdata/logs.basic.txt")),
        ("normal", Signal::Traces, include_str!("testdata/traces.normal.txt")),
        ("normal", Signal::Metrics, include_str!("testdata/metrics.normal.txt")),
        ("normal", Signal::Logs, include_str!("testdata/logs.normal.txt")),
        ("detailed", Signal::Traces, include_str!("testdata/traces.detailed.txt")),
        ("detailed", Signal::Metrics, include_str!("testdata/metrics.detailed.txt")),
        ("detailed", Signal::Logs, include_str!("testdata/logs.detailed.txt")),
    ] {
        let path = folder.path().join(format!("{}.{verbosity}", signal.as_str()));
        let text = written(&path, &format!("verbosity: {verbosity}"), vec![batch(signal)]).await;
        for (ours, theirs) in comparable(&text).iter().zip(&comparable(expected)) {
            assert_eq!(ours, theirs, "{verbosity} {signal:?}");
        }
        assert_eq!(comparable(&text).len(), comparable(expected).len(), "{verbosity} {signal:?}");
    }
}

/// Scenario: one batch three times, with one equal message a second let through.
/// Guarantees: it is said once.
#[tokio::test]
async fn repeated_messages_are_thinned_out() {
    let folder = tempfile::tempdir().unwrap();
    let batches = vec![batch(Signal::Logs), batch(Signal::Logs), batch(Signal::Logs)];
    let options = "sampling_initial: 1\nsampling_thereafter: 0";
    let text = written(&folder.path().join("out"), options, batches).await;
    // The second may turn between two batches, once.
    assert!((1..=2).contains(&text.lines().count()), "{text}");
}

/// Scenario: a span whose name is no UTF-8.
/// Guarantees: it is shown with a replacement character, not refused.
#[tokio::test]
async fn text_that_is_not_unicode() {
    let folder = tempfile::tempdir().unwrap();
    let encoded = Bytes::from_static(b"\x0a\x09\x12\x07\x12\x05\x2a\x03a\xffz");
    let batch = Traces::parse(encoded).unwrap().into();
    let text = written(&folder.path().join("out"), "verbosity: normal", vec![batch]).await;
    assert!(text.contains("a\u{fffd}z"), "{text}");
}

/// Scenario: the internal logger, at every verbosity.
/// Guarantees: batches are taken, and no output has to be opened.
#[tokio::test]
async fn internal_logger() {
    for verbosity in ["basic", "normal", "Detailed"] {
        let exporter = exporter(&format!("verbosity: {verbosity}")).unwrap();
        exporter.start(&host()).await.unwrap();
        exporter.consume(batch(Signal::Metrics)).await.unwrap();
    }
}

/// Scenario: options that the Collector refuses, and a file that cannot be opened.
/// Guarantees: they are refused, and the message names what is at fault.
#[tokio::test]
async fn wrong_options() {
    for (options, word) in [
        ("verbosity: loud", "verbosity"),
        ("output_paths: [stdout]", "output_paths"),
        ("use_internal_logger: false\noutput_paths: []", "output_paths"),
        ("sending_queue: {}", "sending_queue"),
        ("loudness: 1", "loudness"),
    ] {
        let error = exporter(options).err().expect(options).to_string();
        assert!(error.contains(word), "{options}: {error}");
    }
    let missing = exporter("use_internal_logger: false\noutput_paths: [/no/such/folder/out]").unwrap();
    let error = missing.start(&host()).await.unwrap_err().to_string();
    assert!(error.contains("/no/such/folder/out"), "{error}");
}
