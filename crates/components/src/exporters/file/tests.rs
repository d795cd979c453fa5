use std::path::Path;

use bytes::Bytes;
use spanmill_config::Section;
use spanmill_otlp::{Limits, Opaque, Signal, Traces, json};
use spanmill_pipeline::{Host, Telemetry};

use super::*;

const TRACE: &str = r#"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat","status":{}}]}]}]}"#;
const LOG: &str =
    r#"{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#;

fn traces() -> Batch {
    let encoded = json::to_protobuf(Signal::Traces, TRACE.as_bytes(), &Limits::default()).unwrap();
    Traces::parse(Bytes::from(encoded)).unwrap().into()
}

fn logs() -> Batch {
    let encoded = json::to_protobuf(Signal::Logs, LOG.as_bytes(), &Limits::default()).unwrap();
    Opaque::parse(Signal::Logs, Bytes::from(encoded)).unwrap().into()
}

fn exporter(path: &Path, options: &str) -> Result<Arc<dyn Node>, ConfigError> {
    let section = Section::from_yaml("exporters::file", &format!("path: {}\n{options}", path.display())).unwrap();
    let id = "file".parse().unwrap();
    create(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

fn host() -> Host {
    Host::new(std::collections::HashMap::default(), tokio::sync::mpsc::unbounded_channel().0)
}

async fn written(path: &Path, options: &str, batches: Vec<Batch>) -> Vec<u8> {
    let exporter = exporter(path, options).unwrap();
    exporter.start(&host()).await.unwrap();
    for batch in batches {
        exporter.consume(batch).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    std::fs::read(path).unwrap()
}

/// Takes length-prefixed messages apart.
fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<4>() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*len) as usize);
        messages.push(message);
        bytes = rest;
    }
    messages
}

/// Scenario: a traces and a logs batch with the default options.
/// Guarantees: each is a line of OTLP/JSON, there after shutdown.
#[tokio::test]
async fn json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let text = written(&folder.path().join("out.jsonl"), "", vec![traces(), logs()]).await;
    assert_eq!(String::from_utf8(text).unwrap(), format!("{TRACE}\n{LOG}\n"));
}

/// Scenario: protobuf, and JSON with compression.
/// Guarantees: each message follows its length in four bytes.
#[tokio::test]
async fn framed_messages() {
    let folder = tempfile::tempdir().unwrap();
    let proto = written(&folder.path().join("proto"), "format: proto", vec![traces(), traces()]).await;
    assert_eq!(messages(&proto), [&traces().encode()[..], &traces().encode()[..]]);

    let (path, options) = (folder.path().join("zstd"), "compression: zstd\ncompression_params: {level: 6}");
    let zstd = written(&path, options, vec![logs()]).await;
    let [message] = messages(&zstd)[..] else { panic!("one message expected") };
    assert_eq!(zstd::bulk::decompress(message, 1 << 20).unwrap(), LOG.as_bytes());
}

/// Scenario: a file with something in it, opened with and without `append`.
/// Guarantees: it is continued, or emptied at start.
#[tokio::test]
async fn append_or_truncate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    std::fs::write(&path, "before\n").unwrap();
    let text = written(&path, "append: true", vec![logs()]).await;
    assert_eq!(text, format!("before\n{LOG}\n").as_bytes());
    assert_eq!(written(&path, "", vec![]).await, b"");
}

/// Scenario: a short flush interval, and no shutdown.
/// Guarantees: what was consumed reaches the file by itself.
#[tokio::test]
async fn flushes_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let exporter = exporter(&path, "flush_interval: 5ms").unwrap();
    exporter.start(&host()).await.unwrap();
    exporter.consume(logs()).await.unwrap();
    let reached = async {
        while std::fs::read(&path).unwrap() != format!("{LOG}\n").as_bytes() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), reached).await.unwrap();
}

/// Scenario: more than the largest size is written with rotation, in records of a third of it.
/// Guarantees: no file is larger, nothing is lost, and no more than `max_backups` files stay behind.
#[tokio::test]
async fn rotation_bounds_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let large = format!(r#"{{"resourceLogs":[{{"schemaUrl":"{}"}}]}}"#, "x".repeat(350_000));
    let encoded = json::to_protobuf(Signal::Logs, large.as_bytes(), &Limits::default()).unwrap();
    let batch: Batch = Opaque::parse(Signal::Logs, Bytes::from(encoded)).unwrap().into();
    let exporter = exporter(&path, "rotation: {max_megabytes: 1, max_backups: 2}").unwrap();
    exporter.start(&host()).await.unwrap();
    for _ in 0..4 {
        exporter.consume(batch.clone()).await.unwrap();
    }
    exporter.shutdown().await.unwrap();
    let sizes: Vec<u64> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 1 << 20), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<u64>() / 350_000, 4);
}

/// Scenario: the folder is missing, with and without `create_directory`.
/// Guarantees: start fails and names the file, or the folder is created.
#[tokio::test]
async fn folders_are_created_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/out");
    let error = exporter(&path, "").unwrap().start(&host()).await.unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("a/b/out"), "{error}");
    assert!(!written(&path, "create_directory: true\ndirectory_permissions: \"0700\"", vec![logs()]).await.is_empty());
}

/// Scenario: a batch before start, and one on a full disk.
/// Guarantees: both are refused in a way that can be retried.
#[tokio::test]
async fn failures_are_retryable() {
    let folder = tempfile::tempdir().unwrap();
    let unstarted = exporter(&folder.path().join("out"), "").unwrap();
    assert!(unstarted.consume(logs()).await.unwrap_err().retryable);

    let full = exporter(Path::new("/dev/full"), "").unwrap();
    full.start(&host()).await.unwrap();
    let mut refused = None;
    for _ in 0..2_000 {
        if let Err(error) = full.consume(logs()).await {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.expect("a full disk refuses");
    assert!(refused.retryable && refused.message.contains("/dev/full"), "{refused:?}");
}

/// Scenario: options that the Collector refuses.
/// Guarantees: they are refused, and the message names the option.
#[test]
fn wrong_options() {
    for (options, word) in [
        ("append: true\nrotation:", "append"),
        ("format: xml", "format"),
        ("compression: gzip", "compression"),
        ("flush_interval: -1s", "flush_interval"),
        ("directory_permissions: \"0700\"", "create_directory"),
        ("create_directory: true\ndirectory_permissions: \"9\"", "directory_permissions"),
        ("group_by: {enabled: true}", "group_by"),
        ("paths: x", "paths"),
    ] {
        let error = exporter(Path::new("out"), options).err().expect(options).to_string();
        assert!(error.contains(word), "{options}: {error}");
    }
    let empty = Section::from_yaml("exporters::file", "append: false").unwrap();
    let error = Config::read(&empty).unwrap_err().to_string();
    assert!(error.contains("path must be non-empty"), "{error}");
}
