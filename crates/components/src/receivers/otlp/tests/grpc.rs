use std::time::Duration;

use bytes::Bytes;
use spanmill_pipeline::{Code, ConsumeError, Signal};

use super::wire::{Grpc, framed};
use super::{COMPRESSIONS, Setup, spans, spans_of_len};
use crate::net::compression::Compression;
use crate::net::service::grpc_path;

const MIB: usize = 1 << 20;

/// Scenario: the same request in every compression that a client may choose, and in several sizes, on one connection.
/// Guarantees: each is answered with an empty message and status 0; what comes out is what was put in; all spans are counted.
#[tokio::test]
async fn takes_every_compression() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let mut sent = 0;
    for (name, compression) in COMPRESSIONS {
        // Below and above what is shared with the read buffer, and more than one frame.
        for count in [1, 100, 3000] {
            let request = spans(count, 500);
            let answer = client.compressed(name, &compression.compress(&request, None).unwrap()).await;
            assert_eq!(answer.grpc().code, 0, "{name}: {answer:?}");
            assert_eq!(&answer.body[..], [0; 5], "an empty message: partial success is not set");
            assert!(setup.backend.take() == [request], "{name}");
            sent += count as u64;
        }
    }
    assert_eq!(setup.count("otelcol_receiver_accepted_spans", "grpc"), sent);
}

/// Scenario: a message that is not flagged as compressed while the headers name a compression, as gRPC allows.
/// Guarantees: it is taken as it is.
#[tokio::test]
async fn an_uncompressed_message_stays_so() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let answer = client.raw(grpc_path(Signal::Traces), "gzip", framed(false, &spans(2, 5))).await;
    assert_eq!(answer.grpc().code, 0);
    assert_eq!(setup.backend.take(), [spans(2, 5)]);
}

/// Scenario: messages of exactly the limit of 1 MiB and of one byte more, as they are and in every compression; then a header that
/// announces 4 GiB.
/// Guarantees: the first is taken; the others are RESOURCE_EXHAUSTED without a delay, so that nobody retries; the connection
/// goes on.
#[tokio::test]
async fn size_is_limited_after_decompression() {
    let setup = Setup::start("max_recv_msg_size_mib: 1", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    for (name, compression) in COMPRESSIONS {
        for (len, code) in [(MIB, 0), (MIB + 1, 8)] {
            let message = compression.compress(&spans_of_len(len), None).unwrap();
            let status = client.compressed(name, &message).await.grpc();
            assert_eq!((status.code, status.retry_after), (code, None), "{name}, {len} bytes: {status:?}");
        }
    }
    let announced =
        client.raw(grpc_path(Signal::Traces), "", Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff, 1])).await;
    assert_eq!(announced.grpc().code, 8);
    assert_eq!(client.export(Signal::Traces, &spans(1, 1)).await.grpc().code, 0);
    assert_eq!(setup.backend.take().len(), COMPRESSIONS.len() + 1);
}

/// Scenario: 16 MiB of zeros, compressed to a few kilobytes by every compression that can do so.
/// Guarantees: each is refused after the limit of 4 MiB.
#[tokio::test]
async fn bombs_are_refused() {
    let setup = Setup::start("max_recv_msg_size_mib: 4", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let zeros = Bytes::from(vec![0; 16 * MIB]);
    for (name, compression) in
        [("gzip", Compression::Gzip), ("zstd", Compression::Zstd), ("deflate", Compression::Zlib)]
    {
        let bomb = compression.compress(&zeros, None).unwrap();
        assert!(bomb.len() < 2 * MIB, "{name} makes {} bytes of it", bomb.len());
        let status = client.compressed(name, &bomb).await.grpc();
        assert_eq!(status.code, 8, "{name}: {status:?}");
        assert!(status.message.contains("4194304"), "{status:?}");
    }
    // Snappy says in front how much will come.
    let status = client.compressed("snappy", &[0xff, 0xff, 0xff, 0xff, 0x0f, 0]).await.grpc();
    assert_eq!(status.code, 8, "{status:?}");
    assert!(setup.backend.take().is_empty());
}

/// Scenario: requests that are wrong in many ways.
/// Guarantees: each gets the status that says so, nothing goes into the pipeline, and the connection serves the next one.
#[tokio::test]
async fn wrong_requests_get_clear_statuses() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let traces = grpc_path(Signal::Traces);
    let good = spans(1, 10);
    let truncated = &good[..good.len() - 3];
    let twice = [framed(false, &good), framed(false, &good)].concat();
    let cases: [(&str, &str, Bytes, u32, &str); 9] = [
        (traces, "identity", framed(false, truncated), 3, "malformed request at byte"),
        (traces, "identity", framed(false, b"\xff\xff\xff"), 3, "malformed request at byte 0"),
        (traces, "gzip", framed(true, b"no gzip"), 3, "invalid gzip data"),
        (traces, "zstd", framed(true, b"no zstd"), 3, "invalid zstd data"),
        (traces, "br", framed(true, &good), 12, "unknown grpc-encoding"),
        (traces, "identity", framed(false, &good).slice(..9), 3, "ends too early"),
        (traces, "identity", twice.into(), 3, "more than one message"),
        (traces, "identity", Bytes::from_static(&[7, 0, 0, 0, 0]), 3, "unknown flag"),
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Import", "", framed(false, &good), 12, "unknown method"),
    ];
    for (path, encoding, body, code, message) in cases {
        let status = client.raw(path, encoding, body).await.grpc();
        assert_eq!(status.code, code, "{message}: {status:?}");
        assert!(status.message.contains(message), "{message}: {status:?}");
    }
    assert!(setup.backend.take().is_empty());
    assert_eq!(client.export(Signal::Traces, &good).await.grpc().code, 0);
}

/// Scenario: an unknown compression.
/// Guarantees: the client is told which ones there are.
#[tokio::test]
async fn known_compressions_are_named() {
    let setup = Setup::start("", "").await;
    let answer = Grpc::connect(&setup.grpc).await.compressed("br", b"").await;
    assert_eq!(answer.header("grpc-accept-encoding"), "identity,gzip,zstd,deflate,snappy");
}

/// Scenario: logs are taken by a pipeline, metrics by none; and a request without anything in it.
/// Guarantees: logs are taken, metrics are UNIMPLEMENTED, the empty request is a success that no pipeline sees.
#[tokio::test]
async fn signals_without_a_pipeline_are_unimplemented() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    // A logs request has the same three levels as a traces request.
    assert_eq!(client.export(Signal::Logs, &spans(3, 1)).await.grpc().code, 0);
    assert_eq!(client.export(Signal::Metrics, &spans(3, 1)).await.grpc().code, 12);
    assert_eq!(setup.backend.take().len(), 1);
    assert_eq!(setup.count("otelcol_receiver_accepted_log_records", "grpc"), 3);
    for empty in [Bytes::new(), framed(false, b"")] {
        assert_eq!(client.raw(grpc_path(Signal::Traces), "", empty).await.grpc().code, 0);
    }
    assert!(setup.backend.take().is_empty());
}

/// Scenario: the pipeline refuses, for now or for good, with and without a delay.
/// Guarantees: what can be retried has a retryable code and RetryInfo, what cannot has neither; refused spans are counted.
#[tokio::test]
async fn the_pipelines_answer_reaches_the_client() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let (second, later) = (Some(Duration::from_secs(1)), Duration::from_millis(2500));
    let cases = [
        (ConsumeError::retryable("full"), 14, second),
        (ConsumeError::retryable("full").with_retry_after(later), 14, Some(later)),
        (ConsumeError::retryable("full").with_code(Code::ResourceExhausted), 8, second),
        (ConsumeError::retryable("odd").with_code(Code::Internal), 14, second),
        (ConsumeError::permanent("broken"), 13, None),
        (ConsumeError::permanent("large").with_code(Code::ResourceExhausted), 8, None),
        (ConsumeError::permanent("bad").with_code(Code::InvalidArgument), 3, None),
        (ConsumeError::permanent("odd").with_code(Code::Unavailable), 13, None),
    ];
    for (error, code, delay) in cases.clone() {
        setup.backend.answers(Err(error.clone()));
        let status = client.export(Signal::Traces, &spans(2, 1)).await.grpc();
        assert_eq!((status.code, status.retry_after), (code, delay), "{error:?}");
        assert_eq!(status.message, *error.message);
    }
    assert_eq!(setup.count("otelcol_receiver_refused_spans", "grpc"), 2 * cases.len() as u64);
    assert_eq!(setup.count("otelcol_receiver_accepted_spans", "grpc"), 0);
}

/// Scenario: two thousand requests with bytes changed, cut off or repeated at random, some of them compressed.
/// Guarantees: every one is answered with success or INVALID_ARGUMENT, and the good one after them with success.
#[tokio::test]
async fn noise_is_answered() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    let mut dice = fastrand::Rng::with_seed(7);
    let good = spans(5, 30);
    for _ in 0..2000 {
        let mut bytes = good.to_vec();
        for _ in 0..dice.usize(1..6) {
            let at = dice.usize(..bytes.len());
            match dice.u8(..3) {
                0 => bytes[at] = dice.u8(..),
                1 => bytes.truncate(at.max(1)),
                _ => bytes.extend_from_within(at..),
            }
        }
        let (name, compression) = COMPRESSIONS[dice.usize(..COMPRESSIONS.len())];
        let message = if dice.bool() { compression.compress(&bytes.into(), None).unwrap() } else { bytes.into() };
        let status = client.compressed(name, &message).await.grpc();
        // Eight: a length that snappy announces may be anything.
        assert!([0, 3, 8].contains(&status.code), "{status:?}");
    }
    setup.backend.take();
    assert_eq!(client.export(Signal::Traces, &good).await.grpc().code, 0);
    assert_eq!(setup.backend.take(), [good]);
}
