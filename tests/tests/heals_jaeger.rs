//! One span with a NaN token count makes a search in Jaeger fail; spanmill keeps such values away from it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;

use spanmill_tests::collector::Collector;
use spanmill_tests::http::Client;
use spanmill_tests::jaeger::Jaeger;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{peer, ports};
use xtask::peers::Peer;

const TEST: &str = "heals_jaeger";

/// The service that the recorded spans belong to.
const SERVICE: &str = "chat-api";

/// Scenario: an SDK that was told no usage by its provider records NaN as token counts (`data/nan-token-count.pb`, a request as
/// an application sent it). The request goes to one Jaeger as it is, and to another one through spanmill with `genai: {}`.
/// Guarantees: the first Jaeger answers 500 to a search; the second answers 200 and shows every span.
#[test]
fn a_span_with_nan_tokens_can_be_searched() {
    if peer(TEST, Peer::Jaeger).is_none() {
        return;
    }
    let (Some(plain), Some(healed)) = (Jaeger::start(TEST), Jaeger::start(TEST)) else { return };
    let recorded =
        fs::read(xtask::cache::root().join("tests/data/nan-token-count.pb")).expect("the recording is there");
    let client = Client::new();

    assert_eq!(client.export(plain.http, &recorded).status, 200);
    let broken = until("the span is in the plain Jaeger", PATIENCE, || {
        Some(plain.search(SERVICE, &[])).filter(|answer| answer.status != 200 || answer.text().contains("traceID"))
    });
    assert_eq!(broken.status, 500, "{}", broken.text());
    assert!(broken.text().contains("NaN"), "{}", broken.text());

    let [http] = ports::several();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{http}'}}}}}}}}
processors: {{genai: {{}}}}
exporters: {{otlp: {{endpoint: '127.0.0.1:{grpc}', tls: {{insecure: true}}}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [genai], exporters: [otlp]}}}}
",
        grpc = healed.grpc
    );
    let mut spanmill = Collector::spanmill(&config, &[http]);
    assert_eq!(client.export(http, &recorded).status, 200);
    spanmill.stop();
    let answer = healed.search(SERVICE, &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(healed.spans(SERVICE, &[]).len(), 2, "{}", answer.text());
}
