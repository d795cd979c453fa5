//! Stopping, reloading, and backends that come late.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::Signal;
use spanmill_tests::collector::Collector;
use spanmill_tests::http::Client;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{grpc, ports, spans};

/// Scenario: a hundred spans wait in a `batch` processor that would hold them for an hour, when SIGTERM comes.
/// Guarantees: they are written before the process ends, with success.
#[test]
fn sigterm_drains_what_was_accepted() {
    let [port] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
processors: {{batch: {{timeout: 1h, send_batch_size: 100000}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [file]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[port]);
    let client = Client::new();
    for seed in 1..=10 {
        assert_eq!(client.export(port, &spans::request("drain", seed, 10)).status, 200);
    }
    let file = spanmill.process.file("out.jsonl");
    assert!(spans::ids(&file).is_empty());
    spanmill.stop();
    assert_eq!(spans::ids(&file).len(), 100);
}

/// Scenario: a gRPC client keeps its connection open and does not react to anything any more, when SIGTERM comes.
/// Guarantees: it does not keep the collector from ending with success, long before the limit for that, nor what it had sent from being written.
#[tokio::test]
async fn sigterm_does_not_wait_for_a_client_that_hangs() {
    let [port] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
processors: {{batch: {{timeout: 1h, send_batch_size: 100000}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [file]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[port]);
    let client = grpc::Client::connect(port).await;
    client.export(Bytes::from(spans::request("hang", 1, 10))).await.expect("spans are accepted");
    // The only thread of this runtime, which would close the connection when told to, waits for the process instead.
    let told = Instant::now();
    spanmill.stop();
    assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
    assert_eq!(spans::ids(&spanmill.process.file("out.jsonl")).len(), 10);
    drop(client);
}

/// Scenario: the configuration file is changed and SIGHUP sent, first with another output file, then with a key that does not exist.
/// Guarantees: after the first, spans go to the new file; after the second, the mistake is named and spans still go to the new
/// file: a bad configuration does not stop a running collector.
#[test]
fn sighup_takes_a_good_configuration_and_refuses_a_bad_one() {
    let [port] = ports::several();
    let config = |output: &str, more: &str| {
        format!(
            "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
exporters: {{file: {{path: {output}, flush_interval: 50ms{more}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
"
        )
    };
    let mut spanmill = Collector::spanmill(&config("first.jsonl", ""), &[port]);
    let client = Client::new();
    let url = format!("http://127.0.0.1:{port}/v1/traces");
    let mut seed = 0;
    let mut send = || {
        seed += 1;
        let sent = client.post(&url, &[("content-type", "application/x-protobuf")], &spans::request("reload", seed, 1));
        sent.expect("nobody is refused while the receiver is replaced").status == 200
    };
    let [first, second] = ["first.jsonl", "second.jsonl"].map(|name| spanmill.process.file(name));
    assert!(send());
    until("spans are in the first file", PATIENCE, || (!spans::ids(&first).is_empty()).then_some(()));

    let file = spanmill.process.file("config.yaml");
    fs::write(&file, config("second.jsonl", "")).expect("the configuration can be changed");
    spanmill.process.signal(Signal::HUP);
    until("spans are in the second file", PATIENCE, || {
        send();
        (!spans::ids(&second).is_empty()).then_some(())
    });

    let before = spanmill.process.log().len();
    fs::write(&file, config("third.jsonl", ", no_such_option: 1")).expect("the configuration can be changed");
    spanmill.process.signal(Signal::HUP);
    spanmill.process.await_that("the mistake is in the log", |process| {
        process.log().get(before..).filter(|news| news.contains("no_such_option")).map(|_| ())
    });
    let count = spans::ids(&second).len();
    assert!(send());
    until("spans are still written", PATIENCE, || (spans::ids(&second).len() > count).then_some(()));
    spanmill.stop();
    assert!(!spanmill.process.file("third.jsonl").exists());
}

/// Scenario: the backend is not there when spans are sent, and comes later.
/// Guarantees: the spans are accepted at once and reach the backend when it is there.
#[test]
fn spans_wait_for_a_late_backend() {
    let [inlet, grpc, http] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
exporters:
  otlp: {{endpoint: '127.0.0.1:{grpc}', tls: {{insecure: true}}, retry_on_failure: {{initial_interval: 100ms, max_interval: 500ms}}}}
  otlphttp: {{endpoint: 'http://127.0.0.1:{http}', retry_on_failure: {{initial_interval: 100ms, max_interval: 500ms}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp, otlphttp]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let client = Client::new();
    for seed in 1..=10 {
        assert_eq!(client.export(inlet, &spans::request("late", seed, 10)).status, 200);
    }
    let backend = format!(
        "
receivers:
  otlp/grpc: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}}}}}
  otlp/http: {{protocols: {{http: {{endpoint: '127.0.0.1:{http}'}}}}}}
exporters:
  file/grpc: {{path: grpc.jsonl, flush_interval: 50ms}}
  file/http: {{path: http.jsonl, flush_interval: 50ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/grpc: {{receivers: [otlp/grpc], exporters: [file/grpc]}}
    traces/http: {{receivers: [otlp/http], exporters: [file/http]}}
"
    );
    let backend = Collector::spanmill(&backend, &[grpc, http]);
    for file in ["grpc.jsonl", "http.jsonl"].map(|name| backend.process.file(name)) {
        until("all spans have arrived", PATIENCE, || (spans::ids(&file).len() == 100).then_some(()));
    }
    spanmill.stop();
}
