use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use spanmill_pipeline::{Signal, Telemetry};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::wire::{Grpc, Http, Raw};
use super::{Setup, create, host, spans};

/// Long enough for anything that will happen at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Scenario: clients of both protocols send a request each, and go away while the pipeline is taking it, which it then does.
/// Guarantees: each span is counted: as accepted if the pipeline has taken it, as refused otherwise.
#[tokio::test]
async fn who_has_gone_is_counted() {
    let setup = Setup::start("", "").await;
    let held = setup.backend.gate.acquire_many(1000).await.unwrap();
    let message = spans(2, 1);
    for _ in 0..3 {
        let client = Grpc::connect(&setup.grpc).await;
        let mut asking = pin!(client.export(Signal::Traces, &message));
        tokio::select! {
            answer = asking.as_mut() => panic!("{answer:?}"),
            () = setup.backend.entered.notified() => {}
        }
        let mut raw = Raw::connect(&setup.http).await;
        let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length:";
        raw.send([format!("{head} {}\r\n\r\n", message.len()).as_bytes(), &message].concat()).await;
        setup.backend.entered.notified().await;
    }
    // Whoever is answered now came after they had gone.
    let answer = Http::connect(&setup.http).await.send(Request::get("/v1/traces"), "").await;
    assert_eq!(answer.status, 405);
    drop(held);
    let count = |how: &str| {
        let of = |transport| setup.count(&format!("otelcol_receiver_{how}_spans"), transport);
        of("grpc") + of("http")
    };
    setup.until(|_| count("accepted") + count("refused") == 12).await;
    assert_eq!(count("accepted"), 2 * setup.backend.take().len() as u64);
}

/// Scenario: the receiver is stopped while a gRPC and an HTTP request wait for the pipeline, and other connections are idle.
/// Guarantees: no new connection is accepted from then on; both requests are finished with success before the stop returns.
#[tokio::test]
async fn requests_in_flight_are_finished() {
    let setup = Setup::start("", "").await;
    let held = setup.backend.gate.acquire_many(1000).await.unwrap();
    let (grpc, _idle) = (Grpc::connect(&setup.grpc).await, Http::connect(&setup.http).await);
    let mut http = Http::connect(&setup.http).await;
    let first = tokio::spawn(async move { grpc.export(Signal::Traces, &spans(1, 1)).await.grpc().code });
    let second = tokio::spawn(async move { http.protobuf("", spans(1, 1)).await.status.as_u16() });
    setup.backend.entered.notified().await;
    while setup.backend.gate.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let receiver = Arc::clone(&setup.receiver);
    let stopping = tokio::spawn(async move { receiver.shutdown().await });
    let refused = async {
        while UnixStream::connect(&setup.grpc).await.is_ok() || UnixStream::connect(&setup.http).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("new connections are refused");
    assert!(!stopping.is_finished(), "two requests are not answered yet");
    drop(held);
    assert_eq!(timeout(PATIENCE, first).await.unwrap().unwrap(), 0);
    assert_eq!(timeout(PATIENCE, second).await.unwrap().unwrap(), 200);
    timeout(PATIENCE, stopping).await.unwrap().unwrap().unwrap();
    assert_eq!(setup.backend.take().len(), 2);
    assert!(!setup.grpc.exists() && !setup.http.exists(), "the files of the sockets are gone");
}

/// Scenario: a receiver is stopped and another is started on the same sockets.
/// Guarantees: the second one serves.
#[tokio::test]
async fn sockets_can_be_used_again() {
    let setup = Setup::start("", "").await;
    setup.receiver.shutdown().await.unwrap();
    let yaml = format!("{{protocols: {{grpc: {{transport: unix, endpoint: {:?}}}}}}}", setup.grpc);
    let second = create(&yaml, &Telemetry::default(), &setup.backend);
    second.start(&host()).await.unwrap();
    assert_eq!(Grpc::connect(&setup.grpc).await.export(Signal::Traces, &spans(1, 1)).await.grpc().code, 0);
    second.shutdown().await.unwrap();
}

/// Scenario: a socket whose owner was killed, and one that somebody listens on.
/// Guarantees: the first is taken over; the second is refused with an error that names it.
#[tokio::test]
async fn stale_sockets_are_taken_over() {
    let setup = Setup::start("", "").await;
    let stale = setup.grpc.with_file_name("stale");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let receiver = |path: &std::path::Path| {
        let yaml = format!("{{protocols: {{grpc: {{transport: unix, endpoint: {path:?}}}}}}}");
        create(&yaml, &Telemetry::default(), &setup.backend)
    };
    let second = receiver(&stale);
    second.start(&host()).await.unwrap();
    second.shutdown().await.unwrap();
    let error = receiver(&setup.grpc).start(&host()).await.unwrap_err().to_string();
    assert!(error.contains(setup.grpc.to_str().unwrap()), "{error}");
}

/// Scenario: connections may live for 50 ms, and 50 ms more if they are in use.
/// Guarantees: an idle one is closed.
#[tokio::test]
async fn old_connections_are_closed() {
    let age = "keepalive: {server_parameters: {max_connection_age: 50ms, max_connection_age_grace: 50ms}}";
    let setup = Setup::start(age, "").await;
    let client = Grpc::connect(&setup.grpc).await;
    assert_eq!(client.export(Signal::Traces, &spans(1, 1)).await.grpc().code, 0);
    timeout(PATIENCE, client.driver).await.expect("the connection ends").unwrap().ok();
}

/// Scenario: the default transport, on a free port of loopback.
/// Guarantees: the port is open when `start` returns, and closed when `shutdown` does; a port that is taken is an error that
/// names it.
#[tokio::test]
async fn listens_on_tcp() {
    let setup = Setup::start("", "").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let yaml = format!("{{protocols: {{http: {{endpoint: 'localhost:{}'}}}}}}", free.port());
    let receiver = create(&yaml, &Telemetry::default(), &setup.backend);
    receiver.start(&host()).await.unwrap();
    // A name that has both kinds of addresses stands for the IPv4 one.
    TcpStream::connect(free).await.unwrap();
    let taken = create(&yaml, &Telemetry::default(), &setup.backend).start(&host()).await.unwrap_err().to_string();
    assert!(taken.contains(&free.port().to_string()), "{taken}");
    receiver.shutdown().await.unwrap();
    assert!(TcpStream::connect(free).await.is_err());
}
