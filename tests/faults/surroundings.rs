//! What the machine does to a process: clocks jump, file descriptors run out, disks fill up or cannot be written, certificates expire, one of two
//! backends is dead. What was acknowledged arrives all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair};
use serde_json::Value;
use spanmill_tests::clock::Clock;
use spanmill_tests::collector::{Collector, write_config};
use spanmill_tests::http::Client;
use spanmill_tests::load::{Ledger, Load, Senders};
use spanmill_tests::process::{Running, folder};
use spanmill_tests::sink::Sink;
use spanmill_tests::spans::request;
use spanmill_tests::wait::{PATIENCE, pause, until};
use spanmill_tests::{ports, skipped, spanmill};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const SPANS: u64 = 8;

fn exporter(name: &str, outlet: u16) -> String {
    format!(
        "otlp_grpc{name}: {{endpoint: '127.0.0.1:{outlet}', tls: {{insecure: true}}, \
         retry_on_failure: {{initial_interval: 20ms, max_interval: 200ms}}, \
         sending_queue: {{storage: file_storage, queue_size: 1000000}}}}"
    )
}

fn config(receiver: &str, queue: &Path, exporters: &[String], more: &str) -> String {
    let names: Vec<&str> = exporters.iter().filter_map(|exporter| exporter.split(':').next()).collect();
    format!(
        "
receivers: {{otlp: {{protocols: {receiver}}}}}
extensions: {{file_storage: {{directory: '{}'{more}}}}}
exporters: {{{}}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [{}]}}}}
",
        queue.display(),
        exporters.join(", "),
        names.join(", "),
    )
}

fn grpc(inlet: u16) -> String {
    format!("{{grpc: {{endpoint: '127.0.0.1:{inlet}'}}}}")
}

fn load(port: u16) -> (Senders, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::default());
    let load = Load { port, senders: 4, spans: SPANS, pause: Duration::from_millis(5) };
    (Senders::start(load, &ledger), ledger)
}

fn await_all(sink: &Sink, ledger: &Ledger) {
    let acknowledged = ledger.acknowledged();
    assert!(!acknowledged.is_empty());
    until("all acknowledged spans have arrived", PATIENCE, || (sink.missing(&acknowledged, SPANS) == 0).then_some(()));
}

fn more_are_acknowledged(ledger: &Ledger, count: usize) {
    let before = ledger.requests();
    until("more requests are acknowledged", PATIENCE, || (ledger.requests() >= before + count).then_some(()));
}

/// Scenario: under load the wall clock jumps a day ahead, two days back, and to where it was, with the backend away meanwhile, and a store beside.
/// Guarantees: requests are taken all the time, all arrive, and all are in the store.
#[test]
fn clock_jumps_by_a_day() {
    const DAY: i64 = 86_400;
    let Some(clock) = Clock::new() else { return skipped("clock_jumps_by_a_day", "no cc") };
    let ([inlet, sql], queue, mut sink) = (ports::several(), folder("queue"), Sink::start());
    let store = format!(
        "spanstore: {{path: '{}/store', hot: {{max_age: 1s}}, sql: {{endpoint: '127.0.0.1:{sql}'}}}}",
        queue.path().display()
    );
    let config = config(&grpc(inlet), queue.path(), &[exporter("", sink.port), store], "");
    let scratch = folder("spanmill");
    let mut command = Command::new(spanmill());
    command.arg("--config").arg(write_config(&scratch, &config));
    clock.apply(&mut command);
    let mut spanmill = Collector::launch("spanmill", &mut command, scratch, &[inlet, sql]);
    let (senders, ledger) = load(inlet);
    more_are_acknowledged(&ledger, 50);
    for offset in [DAY, -DAY, 0] {
        sink.away();
        clock.jump_to(offset);
        more_are_acknowledged(&ledger, 50);
        sink.up();
        more_are_acknowledged(&ledger, 50);
    }
    senders.stop();
    assert_eq!(ledger.refused(), 0);
    await_all(&sink, &ledger);
    let spans = ledger.requests() as u64 * SPANS;
    let client = Client::new();
    let count = || -> Value {
        let sql = format!("http://127.0.0.1:{sql}/v1/sql");
        client.post(&sql, &[], b"SELECT count(*) AS n FROM spans").unwrap().json()["rows"][0]["n"].clone()
    };
    until("all spans are in the store", PATIENCE, || (count() == spans).then_some(()));
    spanmill.stop();
}

/// Closes connections, and waits until the other side has closed them too: until then they have their places there.
fn end_both_sides(connections: Vec<TcpStream>) {
    for mut connection in connections {
        // Who had no place was turned away, and may have been reset.
        let _ = connection.shutdown(Shutdown::Write);
        let _ = connection.set_read_timeout(Some(PATIENCE));
        if let Err(error) = std::io::copy(&mut connection, &mut std::io::sink()) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}

/// Scenario: a process that may open 96 files is held by 200 idle connections while senders are at work on theirs; then those go.
/// Guarantees: who is connected is served all the time; when there are file descriptors again, others are taken; everything arrives.
#[test]
fn file_descriptors_run_out() {
    let (inlet, queue, sink) = (ports::free(), folder("queue"), Sink::start());
    let config = config(&grpc(inlet), queue.path(), &[exporter("", sink.port)], "");
    let scratch = folder("spanmill");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 96 && exec \"$0\" --config \"$1\""]);
    command.arg(spanmill()).arg(write_config(&scratch, &config));
    let mut spanmill = Collector::launch("spanmill", &mut command, scratch, &[inlet]);
    let (senders, ledger) = load(inlet);
    more_are_acknowledged(&ledger, 50);
    // The system accepts for the process, so that connecting goes on to work.
    let idle: Vec<TcpStream> = (0..200).filter_map(|_| TcpStream::connect(("127.0.0.1", inlet)).ok()).collect();
    assert!(idle.len() > 100, "{}", idle.len());
    more_are_acknowledged(&ledger, 200);
    end_both_sides(idle);
    let (others, later) = load(inlet);
    more_are_acknowledged(&later, 50);
    others.stop();
    senders.stop();
    assert_eq!((ledger.refused(), later.refused()), (0, 0));
    await_all(&sink, &ledger);
    spanmill.stop();
}

/// Scenario: of two backends, each with a queue on disk, one is dead while senders are at work, and comes much later.
/// Guarantees: the other gets everything meanwhile, without delay; the dead one gets everything once it is there.
#[test]
fn one_of_two_backends_is_dead() {
    let (inlet, queue, well, mut dead) = (ports::free(), folder("queue"), Sink::start(), Sink::down(usize::MAX));
    let exporters = [exporter("/well", well.port), exporter("/dead", dead.port)];
    let mut spanmill = Collector::spanmill(&config(&grpc(inlet), queue.path(), &exporters, ""), &[inlet]);
    let (senders, ledger) = load(inlet);
    more_are_acknowledged(&ledger, 300);
    senders.stop();
    assert_eq!(ledger.refused(), 0);
    await_all(&well, &ledger);
    assert_eq!(dead.count(), 0);
    dead.up();
    await_all(&dead, &ledger);
    spanmill.stop();
}

/// Unmounts it in the end.
struct Mount(tempfile::TempDir);

impl Mount {
    /// A file system in memory; nothing where mounting is not allowed.
    fn new(options: &str) -> Option<Self> {
        let folder = folder("mount");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]).arg(folder.path());
        mount.output().is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn change(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.arg("-o").arg(format!("remount,{options}")).arg(self.0.path());
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Scenario: the queue is on a disk of 100 MiB, which has room for one segment of its log; the backend is away, until the disk is full; then the disk grows, and
/// the backend comes.
/// Guarantees: senders are told to come again while there is no room, and are taken when there is; everything that was acknowledged arrives.
#[test]
fn disk_fills_up_and_grows() {
    let Some(mount) = Mount::new("size=100m") else { return skipped("disk_fills_up_and_grows", "may not mount") };
    let (inlet, mut sink) = (ports::free(), Sink::down(usize::MAX));
    let config = config(&grpc(inlet), mount.0.path(), &[exporter("", sink.port)], "");
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let ledger = Arc::new(Ledger::default());
    let senders = Senders::start(Load { port: inlet, senders: 8, spans: 64, pause: Duration::ZERO }, &ledger);
    until("requests are refused", PATIENCE, || (ledger.refused() > 20).then_some(()));
    mount.change("size=400m");
    more_are_acknowledged(&ledger, 20);
    sink.up();
    more_are_acknowledged(&ledger, 100);
    senders.stop();
    let acknowledged = ledger.acknowledged();
    until("all acknowledged spans have arrived", PATIENCE, || (sink.missing(&acknowledged, 64) == 0).then_some(()));
    spanmill.stop();
}

/// Scenario: the folder of the queue is on a disk that cannot be written.
/// Guarantees: the process ends at once, with an error that names the folder and says why.
#[test]
fn read_only_disk_is_an_error_at_start() {
    let Some(mount) = Mount::new("ro") else { return skipped("read_only_disk_is_an_error_at_start", "may not mount") };
    let (inlet, sink) = (ports::free(), Sink::start());
    let config = config(&grpc(inlet), mount.0.path(), &[exporter("", sink.port)], "");
    let scratch = folder("spanmill");
    let mut command = Command::new(spanmill());
    command.arg("--config").arg(write_config(&scratch, &config));
    let mut spanmill = Running::start("spanmill", &mut command, scratch);
    assert_eq!(spanmill.await_end().code(), Some(1));
    let log = spanmill.log();
    assert!(log.contains(&mount.0.path().display().to_string()) && log.contains("Read-only file system"), "{log}");
}

/// An authority of one's own, and certificates of `localhost` by it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// Writes a certificate that is good until that year.
    fn write(&self, folder: &Path, until: i32) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        // Both are put in place at once: between two files that do not match, the former pair is kept.
        for (name, text) in [("key.pem", key.serialize_pem()), ("cert.pem", certificate.pem())] {
            std::fs::write(folder.join("new"), text).unwrap();
            std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
        }
    }

    fn client(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// Sends one request on a connection of its own; nothing where the handshake fails.
async fn post(client: &TlsConnector, port: u16, body: &[u8]) -> Option<u16> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let mut stream = client.connect(ServerName::try_from("localhost").unwrap(), stream).await.ok()?;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    // Some end without saying so.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// Scenario: the certificate of a receiver has expired; then it is renewed in place, and again and again while senders are at work, each request
/// on a connection of its own.
/// Guarantees: clients refuse the expired one; the renewed one is served without a restart, within seconds; no handshake fails while it changes,
/// and everything arrives.
#[test]
fn certificates_are_renewed_under_load() {
    let (inlet, queue, sink, authority) = (ports::free(), folder("queue"), Sink::start(), Authority::new());
    let files = queue.path().display();
    authority.write(queue.path(), 2020);
    let receiver = format!(
        "{{http: {{endpoint: '127.0.0.1:{inlet}', tls: {{cert_file: '{files}/cert.pem', key_file: '{files}/key.pem', reload_interval: 100ms}}}}}}"
    );
    let mut spanmill = Collector::spanmill(&config(&receiver, queue.path(), &[exporter("", sink.port)], ""), &[inlet]);
    let (client, runtime) = (authority.client(), tokio::runtime::Runtime::new().unwrap());
    let mut seed = 0;
    let mut send = || {
        seed += 1;
        (seed, runtime.block_on(post(&client, inlet, &request("load", seed, SPANS))))
    };
    assert_eq!(send().1, None, "an expired certificate is good for nobody");
    authority.write(queue.path(), 2090);
    let mut taken = vec![until("the renewed certificate is served", PATIENCE, || {
        let (seed, status) = send();
        (status == Some(200)).then_some(seed)
    })];
    for _ in 0..5 {
        authority.write(queue.path(), 2090);
        for _ in 0..40 {
            let (seed, status) = send();
            assert_eq!(status, Some(200));
            taken.push(seed);
            pause(Duration::from_millis(5));
        }
    }
    let taken: Vec<u64> = taken.into_iter().map(|seed| seed | 1 << 63).collect();
    until("everything has arrived", PATIENCE, || (sink.missing(&taken, SPANS) == 0).then_some(()));
    spanmill.stop();
}
