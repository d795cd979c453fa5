use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::*;

/// One request; the head of its answer.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the connection was closed");
    }
    String::from_utf8(answer).unwrap()
}

/// Scenario: a server is told to stop while one client has had an answer, one has connected and not asked yet, one waits to be accepted, and one
/// never asks.
/// Guarantees: the three who ask are answered, and told that the connection ends; the server does not wait for the fourth for long; nobody
/// can connect any more.
#[tokio::test]
async fn nobody_is_turned_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) });
    let server = crate::serve(listener, Builder::new(TokioExecutor::new()), service, async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(server);

    let connect = async || TcpStream::connect(address).await.unwrap();
    let mut kept = connect().await;
    assert!(!ask(&mut kept).await.contains("connection: close"));
    let (mut fresh, mut silent) = (connect().await, connect().await);
    // Later ones are accepted later: these two are served by now.
    ask(&mut connect().await).await;
    let mut waiting = connect().await;
    stop.send(()).unwrap();
    let began = Instant::now();
    for stream in [&mut kept, &mut fresh, &mut waiting] {
        let answer = ask(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    server.await.unwrap();
    assert!(began.elapsed() < 10 * LINGER, "{:?}", began.elapsed());
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}
