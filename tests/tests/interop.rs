//! Other people's clients and servers: telemetrygen and the Go Collector, in every protocol, encoding and compression.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fmt::Write;

use bytes::Bytes;
use spanmill_tests::collector::Collector;
use spanmill_tests::spans::{self, SpanId, ids};
use spanmill_tests::telemetrygen::{self, Protocol};
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{figure, grpc, peer, ports};
use tonic::codec::CompressionEncoding;
use xtask::peers::Peer;

/// How many traces of two spans telemetrygen sends.
const TRACES: usize = 200;

/// One way to send spans: protocol, encoding and compression.
#[derive(Debug, Clone, Copy)]
struct Way {
    exporter: &'static str,
    encoding: &'static str,
    compression: &'static str,
}

/// Every way that both collectors have in common.
const WAYS: [Way; 13] = [
    Way::new("otlp", "proto", "none"),
    Way::new("otlp", "proto", "gzip"),
    Way::new("otlp", "proto", "zstd"),
    Way::new("otlp", "proto", "snappy"),
    Way::new("otlphttp", "proto", "none"),
    Way::new("otlphttp", "proto", "gzip"),
    Way::new("otlphttp", "proto", "zstd"),
    Way::new("otlphttp", "proto", "snappy"),
    Way::new("otlphttp", "proto", "deflate"),
    Way::new("otlphttp", "json", "none"),
    Way::new("otlphttp", "json", "gzip"),
    Way::new("otlphttp", "json", "zstd"),
    Way::new("otlphttp", "json", "deflate"),
];

/// Scenario: telemetrygen sends 400 spans over gRPC, then over HTTP; spanmill writes them to a file.
/// Guarantees: every span is written once.
#[test]
fn telemetrygen_is_understood() {
    const TEST: &str = "interop::telemetrygen_is_understood";
    if peer(TEST, Peer::Telemetrygen).is_none() {
        return;
    }
    let [grpc, http] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}, http: {{endpoint: '127.0.0.1:{http}'}}}}}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[grpc, http]);
    assert!(telemetrygen::send(TEST, Protocol::Grpc, grpc, TRACES));
    assert!(telemetrygen::send(TEST, Protocol::Http, http, TRACES));
    spanmill.stop();
    let written = spans::written(&spanmill.process.file("out.jsonl"));
    assert_eq!(written.len(), 2 * 2 * TRACES);
    assert!(written.values().all(|times| *times == 1));
}

/// Scenario: the Go Collector takes 400 spans from telemetrygen and sends each of them to spanmill in every way it knows, all ways
/// at once, each to a receiver of its own.
/// Guarantees: whatever the way, the same 400 spans arrive.
#[test]
fn the_go_collector_sends_to_spanmill() {
    const TEST: &str = "interop::the_go_collector_sends_to_spanmill";
    between(TEST, |receiving, sending, inlet, ports| {
        let receiver = Collector::spanmill(receiving, ports);
        let sender = Collector::otelcol(TEST, sending, &[inlet])?;
        Some((receiver, sender))
    });
}

/// Scenario: spanmill takes 400 spans from telemetrygen and sends each of them to the Go Collector in every way, all ways at once.
/// Guarantees: whatever the way, the same 400 spans arrive.
#[test]
fn spanmill_sends_to_the_go_collector() {
    const TEST: &str = "interop::spanmill_sends_to_the_go_collector";
    between(TEST, |receiving, sending, inlet, ports| {
        let receiver = Collector::otelcol(TEST, receiving, ports)?;
        let sender = Collector::spanmill(sending, &[inlet]);
        Some((receiver, sender))
    });
}

/// Scenario: spanmill sends to spanmill, in every way.
/// Guarantees: whatever the way, the same spans arrive.
#[test]
fn spanmill_sends_to_spanmill() {
    const TEST: &str = "interop::spanmill_sends_to_spanmill";
    between(TEST, |receiving, sending, inlet, ports| {
        let receiver = Collector::spanmill(receiving, ports);
        let sender = Collector::spanmill(sending, &[inlet]);
        Some((receiver, sender))
    });
}

/// Scenario: a gRPC client compresses with deflate, which the Go Collector cannot, and with what it can.
/// Guarantees: each request is answered with success, and its spans are written.
#[tokio::test(flavor = "multi_thread")]
async fn grpc_requests_in_every_compression() {
    let [port] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
exporters: {{file: {{path: out.jsonl}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [file]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[port]);
    let plain = grpc::Client::connect(port).await;
    let encodings = [CompressionEncoding::Gzip, CompressionEncoding::Zstd, CompressionEncoding::Deflate];
    for (seed, encoding) in (1..).zip(encodings) {
        let answer = plain.compressed(encoding).export(Bytes::from(spans::request("compressed", seed, 10))).await;
        assert!(answer.is_ok(), "{encoding:?}: {answer:?}");
    }
    spanmill.stop();
    assert_eq!(ids(&spanmill.process.file("out.jsonl")).len(), 10 * encodings.len());
}

/// Two collectors, one sending to the other in every way; `start` gets the configuration of the receiving one and of the sending
/// one, the port where the latter takes spans, and the ports of the former.
fn between(test: &str, start: impl FnOnce(&str, &str, u16, &[u16]) -> Option<(Collector, Collector)>) {
    if peer(test, Peer::Telemetrygen).is_none() {
        return;
    }
    let [inlet] = ports::several();
    let ports: [u16; WAYS.len()] = ports::several();
    let Some((mut receiver, mut sender)) = start(&receiving(&ports), &sending(inlet, &ports), inlet, &ports) else {
        return;
    };
    if !telemetrygen::send(test, Protocol::Grpc, inlet, TRACES) {
        return;
    }
    let arrived = |way: usize, receiver: &Collector| ids(&receiver.process.file(&format!("out-{way}.jsonl")));
    until("every span has arrived on every way", PATIENCE, || {
        assert!(receiver.process.ended().is_none(), "the receiving collector has ended");
        let missing = (0..WAYS.len()).find(|way| arrived(*way, &receiver).len() < 2 * TRACES);
        missing.is_none().then_some(())
    });
    sender.stop();
    receiver.stop();
    let first: BTreeSet<SpanId> = arrived(0, &receiver);
    for (number, way) in WAYS.iter().enumerate() {
        let spans = arrived(number, &receiver);
        assert_eq!(spans.len(), 2 * TRACES, "{way:?}");
        assert_eq!(spans, first, "{way:?}");
    }
    figure(test, &format!("{} spans in each of {} ways", first.len(), WAYS.len()));
}

/// A collector with one receiver, one pipeline and one file for each way.
fn receiving(ports: &[u16]) -> String {
    let [mut receivers, mut exporters, mut pipelines] = [const { String::new() }; 3];
    for (number, (way, port)) in WAYS.iter().zip(ports).enumerate() {
        let protocol = if way.exporter == "otlp" { "grpc" } else { "http" };
        writeln!(receivers, "  otlp/{number}: {{protocols: {{{protocol}: {{endpoint: '127.0.0.1:{port}'}}}}}}")
            .unwrap();
        writeln!(exporters, "  file/{number}: {{path: out-{number}.jsonl, flush_interval: 100ms}}").unwrap();
        writeln!(pipelines, "    traces/{number}: {{receivers: [otlp/{number}], exporters: [file/{number}]}}").unwrap();
    }
    format!(
        "receivers:\n{receivers}exporters:\n{exporters}service:\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines:\n{pipelines}"
    )
}

/// A collector with one receiver and one exporter for each way.
fn sending(inlet: u16, ports: &[u16]) -> String {
    let mut exporters = String::new();
    let mut names = Vec::new();
    for (number, (way, port)) in WAYS.iter().zip(ports).enumerate() {
        let Way { exporter, encoding, compression } = way;
        let name = format!("{exporter}/{number}");
        let options = if *exporter == "otlp" {
            format!("endpoint: '127.0.0.1:{port}'")
        } else {
            format!("endpoint: 'http://127.0.0.1:{port}', encoding: {encoding}")
        };
        writeln!(exporters, "  {name}: {{{options}, compression: {compression}, tls: {{insecure: true}}}}").unwrap();
        names.push(name);
    }
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
exporters:
{exporters}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [{}]}}}}
",
        names.join(", ")
    )
}

// === impl Way ===

impl Way {
    const fn new(exporter: &'static str, encoding: &'static str, compression: &'static str) -> Self {
        Self { exporter, encoding, compression }
    }
}
