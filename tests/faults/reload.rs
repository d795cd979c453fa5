//! Reloads under load: nobody is refused, nothing is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::Signal;
use spanmill_tests::collector::Collector;
use spanmill_tests::sink::Sink;
use spanmill_tests::{amount, figure, grpc, ports, spans};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Spans a request.
const SPANS: u64 = 5;

/// How long the storm lasts, in seconds; 20 without it.
const SECONDS: &str = "SPANMILL_RELOAD_SECONDS";

/// What clients saw.
#[derive(Default)]
struct Ledger {
    /// Requests that were acknowledged, by their seeds from 1 on; a seed is sent until it is.
    acknowledged: AtomicU64,
    refused: AtomicU64,
    /// Requests that ended without an answer, of clients that connect for each, and of those that keep connections.
    cut: AtomicU64,
    cut_idle: AtomicU64,
    /// Answers that ask to try again.
    later: AtomicU64,
    done: AtomicBool,
}

/// How a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Grpc,
    GrpcKept,
    Http,
    HttpKept,
}

/// Why a request has to be sent again.
enum Again {
    Refused,
    Cut,
    Later,
}

/// The configuration of a round: what changes is the receiver, a processor, an exporter, one that no two may be of at a time, all, nothing, or
/// it is no YAML.
fn configuration(round: u64, [grpc, http]: [u16; 2], sink: u16) -> String {
    let [receiver, processor, exporter, file] = match round % 7 {
        0 => [1, 0, 0, 0],
        1 => [1, 1, 0, 0],
        2 => [1, 1, 1, 0],
        3 => [1, 1, 1, 1],
        4 | 5 => [0, 0, 0, 0],
        _ => return "receivers: [".to_owned(),
    };
    format!(
        "
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: '127.0.0.1:{grpc}', max_recv_msg_size_mib: {}}}
      http: {{endpoint: '127.0.0.1:{http}'}}
processors: {{batch: {{timeout: {}ms}}}}
exporters:
  otlp_http: {{endpoint: 'http://127.0.0.1:{sink}', compression: none, timeout: {}s, sending_queue: {{queue_size: 100000}}}}
  file: {{path: /dev/null, append: true, flush_interval: {}ms}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp_http, file]}}}}
",
        4 + receiver,
        20 + processor,
        30 + exporter,
        100 + file,
    )
}

/// Scenario: SIGHUP every 100 ms, with configurations that change the receiver, a processor, the exporter, or nothing, or are wrong, while clients
/// send over gRPC and HTTP, some with a connection for each request; then SIGTERM.
/// Guarantees: no connection is refused, of clients that connect for each request none is cut, and every span that was acknowledged has
/// reached the backend.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storm() {
    let seconds = amount(SECONDS, 20);
    let sink = Sink::start();
    let ports = ports::several();
    let config = |round| configuration(round, ports, sink.port);
    let mut spanmill = Collector::spanmill(&config(0), &ports);
    let (ledger, seeds) = (Arc::new(Ledger::default()), Arc::new(AtomicU64::new(1)));
    let mut clients = JoinSet::new();
    for way in [Way::Grpc, Way::Grpc, Way::GrpcKept, Way::Http, Way::Http, Way::HttpKept] {
        let (ledger, seeds) = (Arc::clone(&ledger), Arc::clone(&seeds));
        clients.spawn(client(way, ports, ledger, seeds));
    }

    let began = Instant::now();
    let mut rounds = 0;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while began.elapsed() < Duration::from_secs(seconds) {
        tick.tick().await;
        rounds += 1;
        let file = spanmill.process.file("config.yaml");
        let next = spanmill.process.file("next.yaml");
        fs::write(&next, config(rounds)).unwrap();
        fs::rename(&next, &file).unwrap();
        spanmill.process.signal(Signal::HUP);
    }
    ledger.done.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    tokio::task::spawn_blocking(move || spanmill.stop()).await.unwrap();

    let seen = sink.count();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let acknowledged = count(&ledger.acknowledged) * SPANS;
    figure(
        "reload storm",
        &format!(
            "{rounds} reloads in {seconds} s: {acknowledged} spans acknowledged, {seen} arrived, {} again; connections \
             refused {}, requests cut {} (on kept connections {}), sent again when asked to {}",
            sink.duplicates(),
            count(&ledger.refused),
            count(&ledger.cut),
            count(&ledger.cut_idle),
            count(&ledger.later),
        ),
    );
    assert_eq!(count(&ledger.refused), 0, "refused");
    assert_eq!(count(&ledger.cut), 0, "cut");
    // Each seed was sent until it was acknowledged, so all of them must be there.
    assert_eq!(seen, acknowledged, "lost");
    assert!(acknowledged > 1000 * SPANS, "{acknowledged}");
}

async fn client(way: Way, [grpc_port, http_port]: [u16; 2], ledger: Arc<Ledger>, seeds: Arc<AtomicU64>) {
    let (mut channel, mut stream) = (None, None);
    while !ledger.done.load(Ordering::Relaxed) {
        let body = spans::request("reload", seeds.fetch_add(1, Ordering::Relaxed), SPANS);
        loop {
            let sent = match way {
                Way::Grpc | Way::GrpcKept => over_grpc(grpc_port, &mut channel, &body).await,
                Way::Http | Way::HttpKept => over_http(http_port, &mut stream, &body).await,
            };
            if matches!(way, Way::Grpc | Way::Http) {
                (channel, stream) = (None, None);
            }
            let counter = match sent {
                Ok(()) => &ledger.acknowledged,
                Err(Again::Refused) => &ledger.refused,
                Err(Again::Cut) if matches!(way, Way::Grpc | Way::Http) => &ledger.cut,
                Err(Again::Cut) => &ledger.cut_idle,
                Err(Again::Later) => &ledger.later,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            if sent.is_ok() {
                break;
            }
            // A client that may try again at once would say little about one that may not.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn over_grpc(port: u16, kept: &mut Option<grpc::Client>, body: &[u8]) -> Result<(), Again> {
    let client = match kept.take() {
        Some(client) => client,
        None => grpc::Client::try_connect(port).await.map_err(|error| again(&error))?,
    };
    let sent = client.export(Bytes::copy_from_slice(body)).await;
    let Err(status) = sent else {
        *kept = Some(client);
        return Ok(());
    };
    // What a server says has no source; what a connection suffers has.
    match std::error::Error::source(&status) {
        Some(_) => Err(again(&status)),
        None => Err(Again::Later),
    }
}

/// Whether a connection was refused, or cut.
fn again(error: &(dyn std::error::Error + 'static)) -> Again {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if error.downcast_ref::<io::Error>().is_some_and(refused) {
            return Again::Refused;
        }
        cause = error.source();
    }
    eprintln!("cut: {error:?}");
    Again::Cut
}

async fn over_http(port: u16, kept: &mut Option<TcpStream>, body: &[u8]) -> Result<(), Again> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| again(&error))?,
    };
    let (status, closes) = exchange(&mut stream, body).await.map_err(|error| again(&error))?;
    if !closes {
        *kept = Some(stream);
    }
    if status == 200 { Ok(()) } else { Err(Again::Later) }
}

/// One request; its status, and whether the connection ends.
async fn exchange(stream: &mut TcpStream, body: &[u8]) -> io::Result<(u16, bool)> {
    let length = body.len();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut answer = Vec::new();
    // Answers of success have no body; others end the connection's use.
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, answer.contains("connection: close") || status != 200))
}
