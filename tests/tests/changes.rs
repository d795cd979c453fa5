//! Changes of the configuration, and ends, one at a time: what stays, what is told, what is waited for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use spanmill_tests::collector::{Collector, write_config};
use spanmill_tests::http::Client;
use spanmill_tests::process::folder;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{ports, spans};

const CHANGED: &str = "the new configuration runs";

/// Two pipelines; the exporter of the second is named by `output`.
fn two(ports: [u16; 3], output: &str) -> String {
    let [first, second, health] = ports;
    format!(
        "
receivers:
  otlp/first: {{protocols: {{http: {{endpoint: '127.0.0.1:{first}'}}}}}}
  otlp/second: {{protocols: {{http: {{endpoint: '127.0.0.1:{second}'}}}}}}
processors: {{batch: {{timeout: 1h, send_batch_size: 100000}}}}
exporters:
  file/first: {{path: first.jsonl}}
  file/second: {{path: {output}, flush_interval: 50ms}}
extensions: {{health_check: {{endpoint: '127.0.0.1:{health}'}}}}
service:
  extensions: [health_check]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/first: {{receivers: [otlp/first], processors: [batch], exporters: [file/first]}}
    traces/second: {{receivers: [otlp/second], exporters: [file/second]}}
"
    )
}

fn runs_anew(collector: &mut Collector, times: usize) {
    collector.process.await_that("the new configuration runs", |process| {
        (process.log().matches(CHANGED).count() >= times).then_some(())
    });
}

/// Scenario: spans wait in a processor for an hour, while the other pipeline is changed; health is asked all the time.
/// Guarantees: they still wait afterwards, on the same connection; health is good without a break; the end writes them.
#[test]
fn what_did_not_change_stays() {
    let ports = ports::several();
    let mut spanmill = Collector::spanmill(&two(ports, "second.jsonl"), &ports);
    let mut stream = TcpStream::connect(("127.0.0.1", ports[0])).unwrap();
    let mut send = |seed| {
        let body = spans::request("waits", seed, 10);
        let head = "POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf";
        stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer).unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
    };
    send(1);
    let client = Client::new();
    for round in 1..=5 {
        fs::write(spanmill.process.file("config.yaml"), two(ports, &format!("second-{round}.jsonl"))).unwrap();
        spanmill.process.signal(Signal::HUP);
        until("the new configuration runs", PATIENCE, || {
            let health = client.get(&format!("http://127.0.0.1:{}/", ports[2]), &[]).unwrap();
            assert_eq!(health.status, 200, "{}", health.text());
            (spanmill.process.log().matches(CHANGED).count() >= round).then_some(())
        });
        assert_eq!(client.export(ports[1], &spans::request("new", 1, 1)).status, 200);
        let file = spanmill.process.file(&format!("second-{round}.jsonl"));
        until("it is in the new file", PATIENCE, || (spans::ids(&file).len() == 1).then_some(()));
    }
    send(2);
    let first = spanmill.process.file("first.jsonl");
    assert!(spans::ids(&first).is_empty());
    spanmill.stop();
    assert_eq!(spans::ids(&first).len(), 20);
}

/// Scenario: with `--watch` the file is replaced, then made wrong, then right again.
/// Guarantees: each is noticed without a signal; the wrong one is refused with option and line.
#[test]
fn files_are_watched() {
    let ports = ports::several();
    let folder = folder("watched");
    let mut command = Command::new(spanmill_tests::spanmill());
    command.arg("--config").arg(write_config(&folder, &two(ports, "a.jsonl"))).arg("--watch");
    let mut spanmill = Collector::launch("spanmill", &mut command, folder, &ports);
    let file = spanmill.process.file("config.yaml");
    fs::write(&file, two(ports, "b.jsonl")).unwrap();
    runs_anew(&mut spanmill, 1);
    fs::write(&file, two(ports, "{}")).unwrap();
    spanmill.process.await_that("the mistake is told", |process| {
        let log = process.log();
        let refused = log.lines().find(|line| line.contains("the running one is kept"))?;
        assert!(refused.contains("config.yaml:8: exporters::file/second::path"), "{refused}");
        Some(())
    });
    fs::write(&file, two(ports, "c.jsonl")).unwrap();
    runs_anew(&mut spanmill, 2);
    spanmill.stop();
}

/// Scenario: spans are sent to a backend that does not answer; SIGTERM is sent, and a second one.
/// Guarantees: the first is waited for, the second ends it at once, with code 1.
#[test]
fn a_second_signal_is_not_waited_for() {
    let [inlet] = ports::several();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = silent.local_addr().unwrap();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
exporters: {{otlp_http: {{endpoint: 'http://{backend}'}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_http]}}}}
"
    );
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    assert_eq!(Client::new().export(inlet, &spans::request("hasty", 1, 1)).status, 200);
    spanmill.process.signal(Signal::TERM);
    spanmill.process.await_that("it stops", |process| process.log().contains("told to stop").then_some(()));
    let began = Instant::now();
    assert_eq!(spanmill.process.terminate().code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// A process that is killed in the end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Scenario: the process is started as systemd does, with a socket at which a client waits already, and a place to tell its state.
/// Guarantees: the client is served; readiness, a reload with its time, a refusal with its reason, and the end are told.
#[test]
fn systemd() {
    let folder = folder("systemd");
    let news = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    news.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut buffer = [0; 4096];
        let length = news.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let waiting = std::thread::spawn(move || Client::new().export(port, &spans::request("early", 1, 1)).status);
    let config = |exporter: &str| {
        format!(
            "
receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
exporters: {{nop: {exporter}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
"
        )
    };
    let file = write_config(&folder, &config(""));
    // The socket has to be the third file, and the process to be the one that it is meant for.
    let script = r#"exec 3<&0 0</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" --config "$1""#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(spanmill_tests::spanmill()).arg(&file);
    command.env("NOTIFY_SOCKET", folder.path().join("notify"));
    let child = command.stdin(Stdio::from(OwnedFd::from(socket))).stderr(Stdio::null()).spawn().unwrap();
    let mut child = Killed(child);
    let signal = |signal| {
        let id = i32::try_from(child.0.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    };

    assert!(told().contains("READY=1"));
    assert_eq!(waiting.join().unwrap(), 200);
    signal(Signal::HUP);
    let reloading = told();
    assert!(reloading.contains("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert!(told().contains("READY=1"));
    fs::write(&file, config("{colour: red}")).unwrap();
    signal(Signal::HUP);
    assert!(told().contains("RELOADING=1"));
    let refused = told();
    assert!(refused.contains("READY=1") && refused.contains("colour"), "{refused}");
    signal(Signal::TERM);
    assert!(told().contains("STOPPING=1"));
    assert!(child.0.wait().unwrap().success());
}
