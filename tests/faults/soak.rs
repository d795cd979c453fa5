//! The soak: hours, or minutes, of traffic while everything goes wrong now and then. `cargo xtask soak --minutes 30` runs it, with `--beside` the Go
//! Collector in the same scenario, too.

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
use spanmill_tests::wait::pause;
use spanmill_tests::{amount, figure, ports};

/// 20,000 spans a second, of 64 a request.
const SPANS: u64 = 64;
const SENDERS: usize = 16;
const PAUSE: Duration = Duration::from_millis(50);

/// What is thrown, and how often it was.
const FAULTS: [&str; 6] =
    ["killed", "backend away", "backend slow", "backend breaks off", "backend refuses", "reloaded"];

/// Who stands between senders and backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// Spanmill with `genai`, a queue on disk, and a store.
    Spanmill,
    /// The Go Collector with a queue on disk that it does not sync, which is its default.
    Collector,
    /// The same, synced.
    CollectorSynced,
}

/// How it ended: in spans, where nothing else is said.
struct Outcome {
    accepted: u64,
    missing: u64,
    again: u64,
    refused_requests: u64,
    rate: f64,
    thrown: BTreeMap<&'static str, usize>,
    moments: Vec<Moment>,
    /// Rows of the store, and different spans among them; nothing where there is no store.
    stored: Option<(u64, u64)>,
}

/// The process at a moment.
struct Moment {
    at: Duration,
    memory: u64,
    files: usize,
}

// === impl Subject ===

impl Subject {
    fn config(self, inlet: u16, folder: &Path, outlet: u16, sql: u16) -> String {
        let folder = folder.display();
        let (processors, used, fsync) = match self {
            Self::Spanmill => ("{genai: {}}", "[genai]", ""),
            Self::Collector => ("{}", "[]", ""),
            Self::CollectorSynced => ("{}", "[]", ", fsync: true"),
        };
        let (store, exporters) = match self {
            Self::Spanmill => (
                format!("spanstore: {{path: '{folder}/store', sql: {{endpoint: '127.0.0.1:{sql}'}}}}"),
                "[otlp_grpc, spanstore]",
            ),
            Self::Collector | Self::CollectorSynced => (String::new(), "[otlp_grpc]"),
        };
        format!(
            "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
processors: {processors}
extensions: {{file_storage: {{directory: '{folder}/queue', create_directory: true{fsync}}}}}
exporters:
  otlp_grpc:
    endpoint: '127.0.0.1:{outlet}'
    tls: {{insecure: true}}
    timeout: 2s
    retry_on_failure: {{initial_interval: 50ms, max_interval: 1s}}
    sending_queue: {{storage: file_storage, queue_size: 1000000}}
  {store}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: {used}, exporters: {exporters}}}}}
"
        )
    }

    /// Starts it, or says that there is none.
    fn start(self, config: &str, ports: &[u16; 2]) -> Option<Collector> {
        match self {
            Self::Spanmill => Some(Collector::spanmill(config, ports)),
            Self::Collector | Self::CollectorSynced => Collector::otelcol("soak", config, &ports[..1]),
        }
    }
}

// === impl Outcome ===

impl Outcome {
    fn tell(&self, subject: Subject) {
        let say = |text: &str| figure("soak", text);
        let Self { accepted, missing, again, refused_requests, rate, thrown, .. } = self;
        say(&format!("{subject:?}: {rate:.0} spans/s acknowledged; thrown: {thrown:?}"));
        say(&format!("accepted {accepted} spans; refused or unanswered {refused_requests} requests"));
        say(&format!("delivered: {} of {accepted}, {missing} lost, {again} again", accepted - missing));
        if let Some((rows, distinct)) = self.stored {
            say(&format!("stored: {rows} rows, {distinct} different spans"));
        }
        let every = (self.moments.len() / 12).max(1);
        for Moment { at, memory, files } in self.moments.iter().step_by(every).chain(self.moments.last()) {
            say(&format!("after {:>5} s: {memory} MiB, {files} file descriptors", at.as_secs()));
        }
    }
}

/// Throws one fault and takes it back.
fn throw(fault: &str, collector: &mut Collector, sink: &mut Sink, start: &dyn Fn() -> Option<Collector>) {
    let a_while = Duration::from_millis(fastrand::u64(200..3000));
    let misbehave = |sink: &Sink, behaviour| {
        sink.behave(behaviour);
        pause(a_while);
        sink.behave(Behaviour::Take);
    };
    match fault {
        "killed" => {
            collector.process.signal(Signal::KILL);
            collector.process.await_end();
            *collector = start().expect("it was there before");
        }
        "backend away" => {
            sink.away();
            pause(a_while);
            sink.up();
        }
        "backend slow" => misbehave(sink, Behaviour::Slow(Duration::from_millis(100))),
        "backend breaks off" => misbehave(sink, Behaviour::Reset),
        "backend refuses" => misbehave(sink, Behaviour::Refuse(503, 14)),
        "reloaded" => collector.process.signal(Signal::HUP),
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

/// Rows of the store, and different spans among them: asked for in parts, since all ids at once need more memory than a query may have.
fn stored(sql: u16) -> (u64, u64) {
    let (client, url) = (Client::new(), format!("http://127.0.0.1:{sql}/v1/sql"));
    let (mut rows, mut distinct) = (0, 0);
    for part in (0..256).step_by(4) {
        let last = part + 3;
        let query = format!(
            "SELECT count(*) AS n, count(DISTINCT concat(CAST(trace_id AS VARCHAR), CAST(span_id AS VARCHAR))) AS d FROM spans \
             WHERE substr(trace_id, 31) BETWEEN '{part:02x}' AND '{last:02x}'"
        );
        let answer: Value = client.post(&url, &[], query.as_bytes()).unwrap().json();
        let number = |name: &str| answer["rows"][0][name].as_u64().unwrap_or_else(|| panic!("{answer}"));
        (rows, distinct) = (rows + number("n"), distinct + number("d"));
    }
    (rows, distinct)
}

/// Sends and throws for `SPANMILL_SOAK_MINUTES`; nothing where the subject is not to be had.
fn soak(subject: Subject) -> Option<Outcome> {
    let duration = Duration::from_secs(60 * amount("SPANMILL_SOAK_MINUTES", 1));
    let (ports, folder, mut sink) = (ports::several(), folder("soak"), Sink::start());
    let [inlet, sql] = ports;
    let config = subject.config(inlet, folder.path(), sink.port, sql);
    let start = || subject.start(&config, &ports);
    let mut collector = start()?;
    let ledger = Arc::new(Ledger::default());
    let senders = Senders::start(Load { port: inlet, senders: SENDERS, spans: SPANS, pause: PAUSE }, &ledger);
    let (began, mut thrown, mut moments) = (Instant::now(), BTreeMap::new(), Vec::new());
    while began.elapsed() < duration {
        pause(Duration::from_millis(fastrand::u64(1000..6000)));
        moments.push(look(&collector.process, began.elapsed()));
        let fault = FAULTS[fastrand::usize(..FAULTS.len())];
        throw(fault, &mut collector, &mut sink, &start);
        *thrown.entry(fault).or_insert(0) += 1;
    }
    senders.stop();
    let rate = (ledger.requests() as u64 * SPANS) as f64 / began.elapsed().as_secs_f64();

    let acknowledged = ledger.acknowledged();
    let missing = sink.missing_in_the_end(&acknowledged, SPANS) as u64 * SPANS;
    let stored = (subject == Subject::Spanmill).then(|| stored(sql));
    moments.push(look(&collector.process, began.elapsed()));
    collector.stop();
    let outcome = Outcome {
        accepted: acknowledged.len() as u64 * SPANS,
        missing,
        again: sink.duplicates(),
        refused_requests: ledger.refused(),
        rate,
        thrown,
        moments,
        stored,
    };
    outcome.tell(subject);
    Some(outcome)
}

/// Scenario: 20,000 spans a second through `genai` to a backend behind a queue on disk and to the store, for `SPANMILL_SOAK_MINUTES`, while the
/// process is killed, the configuration read again, and the backend goes, slows down, breaks off and refuses, at random.
/// Guarantees: every acknowledged span is at the backend and in the store in the end, each once in the store; memory and file descriptors do not
/// grow.
#[test]
#[ignore = "takes minutes: cargo xtask soak"]
fn nothing_acknowledged_is_lost() {
    let Outcome { accepted, missing, stored, moments, .. } = soak(Subject::Spanmill).expect("it is what is tested");
    assert!(accepted > 0);
    assert_eq!(missing, 0, "acknowledged spans that did not arrive");
    // What was not acknowledged may be stored, too: its sender did not hear of it.
    let (rows, distinct) = stored.expect("it has a store");
    assert!(distinct >= accepted, "{distinct} of {accepted} spans are stored");
    assert_eq!(rows, distinct, "spans that are stored twice");
    assert!(moments.iter().all(|moment| moment.files < 300), "file descriptors");
    assert!(moments.iter().all(|moment| moment.memory < 1536), "memory");
}

/// Scenario: the same with the Go Collector, with its queue on disk as it comes, and synced.
/// Guarantees: none; its figures stand beside ours.
#[test]
#[ignore = "takes minutes: cargo xtask soak --beside"]
fn beside_the_collector() {
    for subject in [Subject::Collector, Subject::CollectorSynced] {
        if let Some(outcome) = soak(subject) {
            assert!(outcome.accepted > 0);
        }
    }
}
