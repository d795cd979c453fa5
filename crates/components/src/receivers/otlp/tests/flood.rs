//! Floods over HTTP/2, frame by frame.

use std::pin::pin;
use std::time::Duration;

use spanmill_pipeline::Signal;
use tokio::time::timeout;

use super::wire::{Grpc, Raw};
use super::{Setup, spans};
use crate::net::service::grpc_path;

/// Long enough for anything that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = len[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// What a client begins with: the preface, and its settings.
fn preface() -> Vec<u8> {
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, b"")].concat()
}

/// The headers of an export over gRPC, without Huffman's code and without the table.
fn head() -> Vec<u8> {
    let path = grpc_path(Signal::Traces);
    let mut out = vec![0x83, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    out.extend(path.bytes());
    out.extend([0x01, 1, b'x', 0x0f, 0x10, 16]);
    out.extend(b"application/grpc");
    out
}

/// The kind of the last frame that came, and its payload.
fn last_frame(mut bytes: &[u8]) -> (u8, Vec<u8>) {
    let mut last = (0xff, Vec::new());
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(len) else { break };
        last = (head[3], payload.to_vec());
        bytes = rest;
    }
    last
}

async fn flood(setup: &Setup, frames: impl Iterator<Item = Vec<u8>>) -> (u8, Vec<u8>) {
    let mut raw = Raw::connect(&setup.grpc).await;
    raw.send(preface()).await;
    raw.send(frames.flatten().collect::<Vec<u8>>()).await;
    last_frame(&timeout(PATIENCE, raw.rest()).await.expect("the connection is closed"))
}

/// Scenario: twenty thousand requests that are each reset at once, without anybody waiting (CVE-2023-44487).
/// Guarantees: the connection is closed, with ENHANCE_YOUR_CALM or because too many were given up; good requests beside it are served.
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let setup = Setup::start("", "").await;
    let cancel = 8_u32.to_be_bytes();
    let frames = (0..20_000).map(|number| {
        let stream = 2 * number + 1;
        [frame(HEADERS, END_HEADERS, stream, &head()), frame(RESET, 0, stream, &cancel)].concat()
    });
    let (kind, payload) = flood(&setup, frames).await;
    let is_calmed = kind == GO_AWAY && payload[4..8] == 11_u32.to_be_bytes();
    assert!(is_calmed || setup.refused("grpc", "given_up") == 1, "{kind} {payload:?}");
    setup.until(|setup| setup.refused("grpc", "given_up") + setup.refused("grpc", "protocol") == 1).await;
    setup.serves().await;
}

/// Scenario: frames that HTTP/2 forbids, CONTINUATION frames without anything in them, and HTTP/1 where gRPC is spoken; a client that says
/// good-bye, and one that just leaves.
/// Guarantees: the first three connections are closed and counted; the last two are nothing to count.
#[tokio::test]
async fn bad_frames_are_counted() {
    let setup = Setup::start("", "").await;
    let no_increment = vec![frame(WINDOW_UPDATE, 0, 0, &[0; 4])];
    let endless = [frame(HEADERS, 0, 1, &head())].into_iter().chain((0..500).map(|_| frame(CONTINUATION, 0, 1, b"")));
    flood(&setup, no_increment.into_iter()).await;
    setup.until(|setup| setup.refused("grpc", "protocol") == 1).await;
    flood(&setup, endless).await;
    setup.until(|setup| setup.refused("grpc", "protocol") == 2).await;
    let mut raw = Raw::connect(&setup.grpc).await;
    raw.send("GET / HTTP/1.1\r\n\r\n").await;
    timeout(PATIENCE, raw.rest()).await.expect("the connection is closed");
    setup.until(|setup| setup.refused("grpc", "protocol") == 3).await;

    let mut polite = Raw::connect(&setup.grpc).await;
    polite.send([preface(), frame(GO_AWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2])].concat()).await;
    timeout(PATIENCE, polite.rest()).await.expect("the connection is closed");
    let mut rude = Raw::connect(&setup.grpc).await;
    rude.send(preface()).await;
    drop(rude);
    setup.serves().await;
    assert_eq!(setup.refused("grpc", "protocol"), 3);
}

/// Scenario: requests that are begun, wait for the pipeline, and given up one after the other, where forty may be.
/// Guarantees: the connection is closed, and counted; good requests beside it are served.
#[tokio::test]
async fn requests_must_not_be_given_up_for_ever() {
    let setup = Setup::limited("max_given_up: 40", "", "").await;
    let held = setup.backend.gate.acquire_many(1000).await.unwrap();
    let client = Grpc::connect(&setup.grpc).await;
    for _ in 0..=40 {
        let message = spans(1, 1);
        let mut asking = pin!(client.export(Signal::Traces, &message));
        tokio::select! {
            answer = asking.as_mut() => panic!("{answer:?}"),
            () = setup.backend.entered.notified() => {}
        }
    }
    let _ = timeout(PATIENCE, client.driver).await.expect("the connection is closed");
    drop(held);
    assert_eq!(setup.refused("grpc", "given_up"), 1);
    // What was being handed over may yet have been taken.
    let counted = |setup: &Setup| {
        let counted = ["accepted", "refused"].map(|how| setup.count(&format!("otelcol_receiver_{how}_spans"), "grpc"));
        counted.iter().sum::<u64>()
    };
    setup.until(|setup| counted(setup) == 41).await;
    setup.backend.take();
    setup.serves().await;
}

/// Scenario: headers without end: one CONTINUATION after the other, up to 16 MiB (CVE-2024-27316).
/// Guarantees: the connection is closed.
#[tokio::test]
async fn endless_headers_end_the_connection() {
    let setup = Setup::start("", "").await;
    let field = [&[0x00, 6][..], b"x-more", &[100], &[b'x'; 100]].concat().repeat(100);
    let first = [frame(HEADERS, 0, 1, &head())];
    let frames = first.into_iter().chain((0..1600).map(|_| frame(CONTINUATION, 0, 1, &field)));
    let (kind, _) = flood(&setup, frames).await;
    assert!([GO_AWAY, RESET, 0xff, 4, HEADERS].contains(&kind), "{kind}");
    setup.serves().await;
}
