use std::time::Duration;

use http::Request;
use spanmill_pipeline::{Code, ConsumeError, Signal};
use tokio::time::timeout;

use super::wire::{Grpc, Http, Raw};
use super::{Setup, spans, spans_of_len};

/// Long enough for anything that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

const KIB: usize = 1 << 10;

/// Scenario: a request of 900 KiB waits for the pipeline, where all may hold 1 MiB together; others come over both protocols, then the
/// pipeline goes on.
/// Guarantees: they are refused after a moment, to be tried again, and counted; afterwards all are taken.
#[tokio::test]
async fn bytes_in_flight_are_bounded() {
    let limits = "max_in_flight_bytes: 1MiB, max_wait: 20ms";
    let setup = Setup::limited(limits, "max_recv_msg_size_mib: 1", "max_request_body_size: 1048576").await;
    let held = setup.backend.gate.acquire_many(1000).await.unwrap();
    let first = Grpc::connect(&setup.grpc).await;
    let first = tokio::spawn(async move { first.export(Signal::Traces, &spans_of_len(900 * KIB)).await.grpc().code });
    setup.backend.entered.notified().await;

    let client = Grpc::connect(&setup.grpc).await;
    let status = client.export(Signal::Traces, &spans_of_len(200 * KIB)).await.grpc();
    assert_eq!((status.code, status.retry_after), (14, Some(Duration::from_secs(1))), "{status:?}");
    let mut http = Http::connect(&setup.http).await;
    let answer = http.protobuf("", spans_of_len(200 * KIB)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{answer:?}");
    let small = crate::net::compression::Compression::Gzip.compress(&spans_of_len(200 * KIB), None).unwrap();
    assert_eq!(http.protobuf("gzip", small).await.status, 503, "it counts what it becomes");
    assert_eq!((setup.refused("grpc", "in_flight_bytes"), setup.refused("http", "in_flight_bytes")), (1, 2));

    drop(held);
    assert_eq!(first.await.unwrap(), 0);
    assert_eq!(client.export(Signal::Traces, &spans_of_len(KIB * KIB)).await.grpc().code, 0);
    assert_eq!(http.protobuf("", spans_of_len(KIB * KIB)).await.status, 200);
}

/// Scenario: two requests may be handled at a time, and two wait for the pipeline; more come. Then one waits until the pipeline goes on.
/// Guarantees: the others are refused for now, and counted; the one that waits is taken.
#[tokio::test]
async fn requests_are_bounded() {
    let setup = Setup::limited("max_concurrent_requests: 2, max_wait: 20ms", "", "").await;
    let held = setup.backend.gate.acquire_many(1000).await.unwrap();
    let client = std::sync::Arc::new(Grpc::connect(&setup.grpc).await);
    let export = || {
        let client = std::sync::Arc::clone(&client);
        tokio::spawn(async move { client.export(Signal::Traces, &spans(1, 1)).await.grpc() })
    };
    let waiting = [export(), export()];
    while setup.refused("grpc", "requests") == 0 {
        let status = export().await.unwrap();
        assert_eq!((status.code, status.retry_after), (14, Some(Duration::from_secs(1))), "{status:?}");
    }
    let answer = Http::connect(&setup.http).await.protobuf("", spans(1, 1)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{answer:?}");
    drop(held);
    for one in waiting {
        assert_eq!(one.await.unwrap().code, 0);
    }
    setup.backend.take();
    setup.serves().await;
}

/// Scenario: two connections are open, as many as there may be, and more come; then one is closed.
/// Guarantees: the others are closed at once, whatever the protocol, and counted; the free place is given again.
#[tokio::test]
async fn connections_are_bounded() {
    let setup = Setup::limited("max_connections: 2", "", "").await;
    let mut first = Http::connect(&setup.http).await;
    assert_eq!(first.protobuf("", spans(1, 1)).await.status, 200);
    let second = Grpc::connect(&setup.grpc).await;
    assert_eq!(second.export(Signal::Traces, &spans(1, 1)).await.grpc().code, 0);
    for socket in [&setup.http, &setup.grpc] {
        assert_eq!(timeout(PATIENCE, Raw::connect(socket).await.rest()).await.unwrap(), b"");
    }
    assert_eq!((setup.refused("http", "connections"), setup.refused("grpc", "connections")), (1, 1));
    drop(second);
    let served = async {
        loop {
            let mut raw = Raw::connect(&setup.http).await;
            raw.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            if raw.statuses().await == [404] {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("the free place is given again");
}

/// Scenario: a thousand connections of each protocol are opened and say nothing.
/// Guarantees: good requests are served.
#[tokio::test]
async fn idle_connections_do_no_harm() {
    let setup = Setup::limited("max_connections: 5000", "", "").await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(Raw::connect(&setup.http).await);
        idle.push(Raw::connect(&setup.grpc).await);
    }
    setup.serves().await;
}

/// Scenario: two tenants and somebody without a name may send ten spans a second each, a hundred at once; one sends too much.
/// Guarantees: it alone is refused, to come again after a time; refused spans are counted. What can never pass is refused for good.
#[tokio::test]
async fn tenants_have_rates() {
    let limits = "rate: {header: x-tenant, spans_per_second: 10, spans_burst: 100}";
    let setup = Setup::limited(limits, "", "").await;
    let mut client = Http::connect(&setup.http).await;
    for (tenant, count, expected, delay) in
        [("one", 100, 200, ""), ("one", 15, 429, "2"), ("two", 100, 200, ""), ("", 50, 200, ""), ("one", 101, 413, "")]
    {
        let request = Request::post("/v1/traces").header("content-type", "application/x-protobuf");
        let answer = client.send(request.header("x-tenant", tenant), spans(count, 1)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (expected, delay), "{tenant} {count}");
    }
    let status = Grpc::connect(&setup.grpc).await.export(Signal::Traces, &spans(99, 1)).await.grpc();
    assert_eq!(status.code, 8);
    assert!(status.retry_after.is_some_and(|delay| delay > Duration::from_secs(1)), "{status:?}");
    assert_eq!((setup.refused("http", "rate"), setup.refused("grpc", "rate")), (2, 1));
    assert_eq!(setup.count("otelcol_receiver_refused_spans", "http"), 116);
}

/// Scenario: the pipeline takes nothing for now, as its memory limiter says; small and large requests come.
/// Guarantees: large ones are refused before they are read, with its words; small ones reach the pipeline, which counts them.
#[tokio::test]
async fn large_requests_ask_first() {
    let setup = Setup::start("", "").await;
    let full = ConsumeError::retryable("data refused due to high memory usage");
    *setup.backend.ready.lock().unwrap() = Err(full.clone());
    let client = Grpc::connect(&setup.grpc).await;
    let status = client.export(Signal::Traces, &spans_of_len(2 << 20)).await.grpc();
    assert_eq!((status.code, &*status.message), (Code::Unavailable as u32, &*full.message));
    let answer = Http::connect(&setup.http).await.protobuf("", spans_of_len(2 << 20)).await;
    assert_eq!(answer.status, 503);
    assert_eq!((setup.refused("grpc", "pipeline"), setup.refused("http", "pipeline")), (1, 1));
    assert!(setup.backend.take().is_empty());
    setup.serves().await;
}
