//! The soak: hours, or minutes, of traffic while everything goes wrong now and then. `cargo xtask soak --minutes 30` runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use spanmill_tests::collector::Collector;
use spanmill_tests::http::Client;
use spanmill_tests::load::{Ledger, Load, Senders};
use spanmill_tests::process::{Running, folder};
use spanmill_tests::sink::{Behaviour, Sink};
use spanmill_tests::wait::{pause, until};
use spanmill_tests::{amount, figure, ports};

/// 20,000 spans a second, of 64 a request.
const SPANS: u64 = 64;
const SENDERS: usize = 16;
const PAUSE: Duration = Duration::from_millis(50);

/// What is thrown, and how often it was.
const FAULTS: [&str; 6] =
    ["killed", "backend away", "backend slow", "backend breaks off", "backend refuses", "reloaded"];

/// The process at a moment.
struct Moment {
    at: Duration,
    memory: u64,
    files: usize,
}

fn config(inlet: u16, folder: &Path, outlet: u16, sql: u16) -> String {
    let folder = folder.display();
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
processors: {{genai: {{}}}}
extensions: {{file_storage: {{directory: '{folder}/queue', create_directory: true}}}}
exporters:
  otlp_grpc:
    endpoint: '127.0.0.1:{outlet}'
    tls: {{insecure: true}}
    timeout: 2s
    retry_on_failure: {{initial_interval: 50ms, max_interval: 1s}}
    sending_queue: {{storage: file_storage, queue_size: 1000000}}
  spanstore: {{path: '{folder}/store', sql: {{endpoint: '127.0.0.1:{sql}'}}}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [genai], exporters: [otlp_grpc, spanstore]}}}}
"
    )
}

/// Throws one fault and takes it back.
fn throw(fault: &str, spanmill: &mut Collector, sink: &mut Sink, start: &dyn Fn() -> Collector) {
    let a_while = Duration::from_millis(fastrand::u64(200..3000));
    let misbehave = |sink: &Sink, behaviour| {
        sink.behave(behaviour);
        pause(a_while);
        sink.behave(Behaviour::Take);
    };
    match fault {
        "killed" => {
            spanmill.process.signal(Signal::KILL);
            spanmill.process.await_end();
            *spanmill = start();
        }
        "backend away" => {
            sink.away();
            pause(a_while);
            sink.up();
        }
        "backend slow" => misbehave(sink, Behaviour::Slow(Duration::from_millis(100))),
        "backend breaks off" => misbehave(sink, Behaviour::Reset),
        "backend refuses" => misbehave(sink, Behaviour::Refuse(503, 14)),
        "reloaded" => spanmill.process.signal(Signal::HUP),
        other => unreachable!("{other}"),
    }
}

fn look(process: &Running, at: Duration) -> Moment {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let memory =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map(|line| line.trim().trim_end_matches(" kB"));
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).map_or(0, Iterator::count);
    Moment { at, memory: memory.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() / 1024, files }
}

/// Scenario: 20,000 spans a second through `genai` to a backend behind a queue on disk and to the store, for `SPANMILL_SOAK_MINUTES`, while the
/// process is killed, the configuration read again, and the backend goes, slows down, breaks off and refuses, at random.
/// Guarantees: every acknowledged span is at the backend and in the store in the end; memory and file descriptors do not grow.
#[test]
#[ignore = "takes minutes: cargo xtask soak"]
fn nothing_acknowledged_is_lost() {
    let minutes = amount("SPANMILL_SOAK_MINUTES", 1);
    let ([inlet, sql], folder, mut sink) = (ports::several(), folder("soak"), Sink::start());
    let config = config(inlet, folder.path(), sink.port, sql);
    let start = || Collector::spanmill(&config, &[inlet, sql]);
    let mut spanmill = start();
    let ledger = Arc::new(Ledger::default());
    let senders = Senders::start(Load { port: inlet, senders: SENDERS, spans: SPANS, pause: PAUSE }, &ledger);
    let (began, mut thrown, mut moments) = (Instant::now(), BTreeMap::new(), Vec::new());
    while began.elapsed() < Duration::from_secs(60 * minutes) {
        pause(Duration::from_millis(fastrand::u64(1000..6000)));
        moments.push(look(&spanmill.process, began.elapsed()));
        let fault = FAULTS[fastrand::usize(..FAULTS.len())];
        throw(fault, &mut spanmill, &mut sink, &start);
        *thrown.entry(fault).or_insert(0) += 1;
    }
    senders.stop();
    let sent_in = began.elapsed();

    let acknowledged = ledger.acknowledged();
    let spans = acknowledged.len() as u64 * SPANS;
    let patience = Duration::from_secs(300);
    until("all acknowledged spans are at the backend", patience, || {
        (sink.missing(&acknowledged, SPANS) == 0).then_some(())
    });
    let client = Client::new();
    let query = "SELECT count(*) AS n, count(DISTINCT concat(CAST(trace_id AS VARCHAR), CAST(span_id AS VARCHAR))) AS d FROM spans";
    let stored: Value = client.post(&format!("http://127.0.0.1:{sql}/v1/sql"), &[], query.as_bytes()).unwrap().json();
    let stored = |name: &str| stored["rows"][0][name].as_u64().expect("a number");
    let (rows, distinct) = (stored("n"), stored("d"));
    moments.push(look(&spanmill.process, began.elapsed()));
    spanmill.stop();

    let rate = spans as f64 / sent_in.as_secs_f64();
    let say = |text: &str| figure("soak", text);
    say(&format!("{minutes} minutes, {rate:.0} spans/s acknowledged; thrown: {thrown:?}"));
    say(&format!("accepted {spans} spans; refused or unanswered {} requests", ledger.refused()));
    say(&format!("delivered: {spans} of {spans}, {} again", sink.duplicates()));
    say(&format!("stored: {rows} rows, {distinct} different spans"));
    let every = (moments.len() / 12).max(1);
    for Moment { at, memory, files } in moments.iter().step_by(every).chain(moments.last()) {
        say(&format!("after {:>5} s: {memory} MiB, {files} file descriptors", at.as_secs()));
    }
    // What was not acknowledged may be stored, too: its sender did not hear of it.
    assert!(distinct >= spans, "{distinct} of {spans} spans are stored");
    assert!(moments.iter().all(|moment| moment.files < 300), "file descriptors");
}
