//! Backends refuse large messages; spanmill sends them what they can take.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use spanmill_tests::collector::Collector;
use spanmill_tests::figure;
use spanmill_tests::http::Client;
use spanmill_tests::jaeger::Jaeger;
use spanmill_tests::spans::{request_with, text};
use spanmill_tests::tempo::Tempo;
use spanmill_tests::wait::{PATIENCE, until};

const TEST: &str = "large";
const SERVICE: &str = "large";
const TRACES: u64 = 120;
const SPANS: u64 = 10;

/// Scenario: one request of 10 MB, 1,200 spans with a prompt of 8 KB each, comes to spanmill as it is shipped for Jaeger and Tempo.
/// Both refuse gRPC messages of more than 4 MiB.
/// Guarantees: the request is accepted, and every span is in both backends.
#[test]
fn a_request_larger_than_backends_take_arrives() {
    let Some(jaeger) = Jaeger::start(TEST) else { return };
    let Some(tempo) = Tempo::start(TEST) else { return };
    let (mut spanmill, [_, http]) = Collector::between(&jaeger, &tempo);
    let prompt = [text("gen_ai.input.messages", &"Tell me all. ".repeat(650))];
    // Encoded requests can be joined: what comes out is one request with all of their spans.
    let request: Vec<u8> = (1..=TRACES).flat_map(|seed| request_with(SERVICE, seed, SPANS, &prompt)).collect();
    assert!(request.len() > 10_000_000, "{}", request.len());
    assert_eq!(Client::new().export(http, &request).status, 200);

    let expected = usize::try_from(TRACES * SPANS).expect("a small number");
    until("jaeger has every span", PATIENCE, || (jaeger.spans(SERVICE, &[]).len() == expected).then_some(()));
    let traces: BTreeSet<String> = jaeger.spans(SERVICE, &[]).into_iter().map(|span| span.trace_id).collect();
    until("tempo has every span", PATIENCE, || {
        let found: usize = traces.iter().map(|trace| tempo.spans_of(trace)).sum();
        (found == expected).then_some(())
    });
    spanmill.stop();
    figure(TEST, &format!("{expected} spans in one request of {} MB are in both backends", request.len() / 1_000_000));
}
