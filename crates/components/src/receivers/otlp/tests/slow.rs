use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use spanmill_pipeline::Signal;
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use super::wire::{Grpc, Http, Raw};
use super::{Setup, spans};
use crate::net::service::grpc_path;
use crate::net::status::Received;

/// Long enough for anything that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

const HEAD: &str = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";

/// Scenario: connections say nothing, half a line, or one header after the other without end; good requests come beside them.
/// Guarantees: each is closed when the time for headers is over, and counted; the good ones are served.
#[tokio::test]
async fn headers_must_come() {
    let setup = Setup::start("", "read_header_timeout: 200ms").await;
    let [mut silent, mut half, mut endless] =
        [Raw::connect(&setup.http).await, Raw::connect(&setup.http).await, Raw::connect(&setup.http).await];
    silent.send("").await;
    half.send("POST /v1/tra").await;
    endless.send(HEAD).await;
    setup.serves().await;
    let trickle = async {
        for _ in 0..1000 {
            sleep(Duration::from_millis(10)).await;
            endless.send("x-more: 1\r\n").await;
        }
    };
    let ended = async { (silent.rest().await, half.rest().await) };
    tokio::select! {
        () = trickle => panic!("connections stay open"),
        ended = timeout(PATIENCE, ended) => { ended.unwrap(); }
    }
    assert_eq!(timeout(PATIENCE, endless.rest()).await.unwrap(), b"");
    assert_eq!(setup.refused("http", "slow_header"), 3);
    setup.serves().await;
}

/// Scenario: bodies that stop in the middle, over HTTP and gRPC.
/// Guarantees: 408, and DEADLINE_EXCEEDED with a delay; both are counted; good requests beside them are served.
#[tokio::test]
async fn bodies_must_not_stop() {
    let setup = Setup::limited("max_body_silence: 200ms", "", "").await;
    let mut http = Raw::connect(&setup.http).await;
    http.send(format!("{HEAD}content-length: 1000\r\n\r\nhalf")).await;
    let grpc = trickle(&setup, vec![Duration::ZERO, PATIENCE]);
    setup.serves().await;
    assert_eq!(timeout(PATIENCE, http.statuses()).await.unwrap(), [408]);
    let status = timeout(PATIENCE, grpc).await.unwrap();
    assert_eq!((status.code, status.retry_after), (4, Some(Duration::from_secs(1))), "{status:?}");
    assert_eq!((setup.refused("http", "slow_body"), setup.refused("grpc", "slow_body")), (1, 1));
}

/// Scenario: a body whose chunk is none, and one that ends before it is whole.
/// Guarantees: the first is answered with 400, and both are counted.
#[tokio::test]
async fn broken_bodies_are_counted() {
    let setup = Setup::start("", "").await;
    let mut http = Raw::connect(&setup.http).await;
    http.send(format!("{HEAD}transfer-encoding: chunked\r\n\r\nZZ\r\n")).await;
    assert_eq!(timeout(PATIENCE, http.statuses()).await.unwrap(), [400]);
    setup.until(|setup| setup.refused("http", "broken_body") == 1).await;
    let mut http = Raw::connect(&setup.http).await;
    http.send(format!("{HEAD}content-length: 1000\r\n\r\nx")).await;
    drop(http);
    setup.until(|setup| setup.refused("http", "broken_body") == 2).await;
    setup.serves().await;
}

/// Scenario: bodies that never stop, but come at a byte every 20 ms, where a mebibyte a second is asked for.
/// Guarantees: they may fall behind for so long as nothing at all may come, and are refused then.
#[tokio::test]
async fn bodies_must_not_trickle() {
    let setup = Setup::limited("max_body_silence: 300ms, min_body_rate: 1MiB", "", "").await;
    let mut http = Raw::connect(&setup.http).await;
    http.send(format!("{HEAD}content-length: 1000\r\n\r\n")).await;
    let slowly = async {
        for _ in 0..1000 {
            sleep(Duration::from_millis(20)).await;
            http.send("x").await;
            if setup.refused("http", "slow_body") > 0 {
                return;
            }
        }
    };
    let steps = vec![Duration::from_millis(20); 1000];
    let (status, ()) = timeout(PATIENCE, async { tokio::join!(trickle(&setup, steps), slowly) }).await.unwrap();
    assert_eq!(status.code, 4, "{status:?}");
    assert_eq!((setup.refused("http", "slow_body"), setup.refused("grpc", "slow_body")), (1, 1));
    setup.serves().await;
}

/// Scenario: connections over HTTP and gRPC are used once, and then left alone.
/// Guarantees: they are closed after the time that the configuration gives them.
#[tokio::test]
async fn idle_connections_are_closed() {
    let keepalive = "keepalive: {server_parameters: {max_connection_idle: 100ms}}";
    let setup = Setup::start(keepalive, "idle_timeout: 100ms").await;
    let grpc = Grpc::connect(&setup.grpc).await;
    assert_eq!(grpc.export(Signal::Traces, &spans(1, 1)).await.grpc().code, 0);
    timeout(PATIENCE, grpc.driver).await.expect("the connection ends").unwrap().unwrap();
    let mut http = Raw::connect(&setup.http).await;
    http.send(format!("{HEAD}content-length: 0\r\n\r\n")).await;
    assert_eq!(timeout(PATIENCE, http.statuses()).await.unwrap(), [200]);
}

/// Scenario: requests come on one connection, each within the time for which it may be idle, for longer than that in all.
/// Guarantees: the connection stays.
#[tokio::test]
async fn used_connections_stay() {
    let setup = Setup::start("", "idle_timeout: 400ms, read_header_timeout: 400ms").await;
    let mut http = Http::connect(&setup.http).await;
    for _ in 0..8 {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(http.protobuf("", spans(1, 1)).await.status, 200);
    }
}

/// Sends a message of gRPC byte by byte, with such times in between.
async fn trickle(setup: &Setup, steps: Vec<Duration>) -> Received {
    let stream = UnixStream::connect(&setup.grpc).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let driver = tokio::spawn(connection);
    let first = Frame::data(Bytes::from_static(&[0, 0, 0, 0xff, 0]));
    let pieces = futures_util::stream::unfold((Some(first), steps.into_iter()), |(first, mut steps)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, std::convert::Infallible>(first), (None, steps)));
        }
        sleep(steps.next()?).await;
        Some((Ok(Frame::data(Bytes::from_static(b"x"))), (None, steps)))
    });
    let request = Request::post(format!("http://localhost{}", grpc_path(Signal::Traces)));
    let body = StreamBody::new(Box::pin(pieces));
    let response = sender.send_request(request.header("te", "trailers").body(body).unwrap()).await.unwrap();
    driver.abort();
    Received::from_headers(response.headers()).unwrap()
}
