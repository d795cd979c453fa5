//! The queue on disk: what was acknowledged arrives, whatever happens to the process or the backend.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use spanmill_tests::collector::Collector;
use spanmill_tests::load::{Ledger, Load, Senders};
use spanmill_tests::process::folder;
use spanmill_tests::sink::{Behaviour, Sink};
use spanmill_tests::wait::{PATIENCE, pause, until};
use spanmill_tests::{amount, figure, ports};

/// Spans of a request.
const SPANS: u64 = 8;

/// A receiver for gRPC before a queue in a folder, which feeds a backend.
fn config(inlet: u16, queue: &Path, outlet: u16, more: &str) -> String {
    let folder = queue.display();
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{inlet}'}}}}}}}}
extensions: {{file_storage: {{directory: '{folder}'}}}}
exporters:
  otlp_grpc:
    endpoint: '127.0.0.1:{outlet}'
    tls: {{insecure: true}}
    compression: none
    retry_on_failure: {{initial_interval: 20ms, max_interval: 200ms}}
    sending_queue: {{storage: file_storage, queue_size: 1000000{more}}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}
"
    )
}

fn await_all(sink: &Sink, ledger: &Ledger, patience: Duration) {
    await_all_of(sink, ledger, SPANS, patience);
}

fn await_all_of(sink: &Sink, ledger: &Ledger, spans: u64, patience: Duration) {
    let acknowledged = ledger.acknowledged();
    let arrived = || (sink.missing(&acknowledged, spans) == 0).then_some(());
    until("all acknowledged spans have arrived", patience, arrived);
}

/// Kills and starts a collector again and again (20 times, or `SPANMILL_KILLS`) while eight senders are at work, and has it run in the end.
fn kill_often(start: impl Fn() -> Option<Collector>, inlet: u16, ledger: &Arc<Ledger>) -> Option<Collector> {
    let load = Load { port: inlet, senders: 8, spans: SPANS, pause: Duration::ZERO };
    let senders = Senders::start(load, ledger);
    let mut collector = start();
    for _ in 0..kills() {
        let Some(running) = &mut collector else { break };
        pause(Duration::from_millis(fastrand::u64(10..250)));
        running.process.signal(Signal::KILL);
        running.process.await_end();
        collector = start();
    }
    senders.stop();
    collector
}

fn kills() -> u64 {
    amount("SPANMILL_KILLS", 20)
}

/// Scenario: eight senders at work while the process is killed at random moments and started again; the backend is there all the time.
/// Guarantees: every acknowledged span arrives; some may arrive twice, which is counted.
#[test]
fn kill_at_any_moment() {
    let (inlet, queue, sink) = (ports::free(), folder("queue"), Sink::start());
    let config = config(inlet, queue.path(), sink.port, "");
    let ledger = Arc::new(Ledger::default());
    let start = || Some(Collector::spanmill(&config, &[inlet]));
    let mut spanmill = kill_often(start, inlet, &ledger).expect("it is what is tested");
    await_all(&sink, &ledger, PATIENCE);
    spanmill.stop();
    let spans = ledger.requests() as u64 * SPANS;
    assert!(spans > 0);
    figure(
        "kill_at_any_moment",
        &format!("{} kills: {spans} spans acknowledged, 0 lost, {} delivered again", kills(), sink.duplicates()),
    );
}

/// Scenario: the same with the Go Collector, with its queue on disk as it comes, and synced.
/// Guarantees: none; its figures stand beside ours.
#[test]
#[ignore = "measures a peer: cargo test -p spanmill-tests --test durable_queue -- --ignored"]
fn kill_the_collector() {
    for more in ["", ", fsync: true"] {
        let (inlet, queue, sink) = (ports::free(), folder("queue"), Sink::start());
        let storage = format!("file_storage: {{create_directory: true{more}, directory:");
        let config = config(inlet, queue.path(), sink.port, "").replace("file_storage: {directory:", &storage);
        let ledger = Arc::new(Ledger::default());
        let start = || Collector::otelcol("kill_the_collector", &config, &[inlet]);
        let Some(mut collector) = kill_often(start, inlet, &ledger) else { return };
        let acknowledged = ledger.acknowledged();
        assert!(!acknowledged.is_empty());
        let lost = sink.missing_in_the_end(&acknowledged, SPANS) as u64 * SPANS;
        collector.stop();
        let spans = acknowledged.len() as u64 * SPANS;
        let text = format!(
            "{} kills: {spans} spans acknowledged, {lost} lost, {} delivered again",
            kills(),
            sink.duplicates()
        );
        figure("kill_the_collector", &format!("file_storage{more}: {text}"));
    }
}

/// Scenario: the backend is away while senders send more than 20,000 spans a second, for 5 s (or `SPANMILL_AWAY_SECONDS`), and then comes.
/// Guarantees: nothing is refused, memory stays flat, and everything arrives when the backend is there.
#[test]
fn backend_comes_late() {
    let (inlet, queue, mut sink) = (ports::free(), folder("queue"), Sink::down(usize::MAX));
    let mut spanmill = Collector::spanmill(&config(inlet, queue.path(), sink.port, ""), &[inlet]);
    let ledger = Arc::new(Ledger::default());
    // More are not numbered by the backend.
    const MANY: u64 = 64;
    let pause_between = Duration::from_millis(15);
    let senders = Senders::start(Load { port: inlet, senders: 8, spans: MANY, pause: pause_between }, &ledger);
    let seconds = amount("SPANMILL_AWAY_SECONDS", 5);
    pause(Duration::from_secs(seconds));
    sink.up();
    senders.stop();
    assert_eq!(ledger.refused(), 0);
    await_all_of(&sink, &ledger, MANY, PATIENCE * 2);
    let memory = spanmill.process.peak_memory().unwrap_or_default() >> 20;
    assert!(memory < 256, "{memory} MiB");
    spanmill.stop();
    let spans = ledger.requests() as u64 * MANY;
    figure(
        "backend_comes_late",
        &format!("backend away for {seconds} s: {spans} spans, all delivered, at most {memory} MiB"),
    );
}

/// Scenario: a backend that breaks connections, is slow, takes requests without saying so, and answers with each status of gRPC that asks to
/// come again, one after the other, while senders are at work.
/// Guarantees: everything that was acknowledged arrives; the process stays.
#[test]
fn backend_misbehaves() {
    let (inlet, queue, mut sink) = (ports::free(), folder("queue"), Sink::start());
    let more = ", num_consumers: 4";
    let config = config(inlet, queue.path(), sink.port, more)
        .replace("compression: none", "compression: none\n    timeout: 300ms");
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let ledger = Arc::new(Ledger::default());
    let pause_between = Duration::from_millis(5);
    let senders = Senders::start(Load { port: inlet, senders: 4, spans: SPANS, pause: pause_between }, &ledger);
    // Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss.
    let refusals = [1, 4, 10, 11, 14, 15].map(|code| Behaviour::Refuse(503, code));
    let others = [Behaviour::Reset, Behaviour::Slow(Duration::from_millis(50)), Behaviour::Silent];
    for behaviour in others.into_iter().chain(refusals) {
        sink.behave(behaviour);
        pause(Duration::from_millis(300));
        sink.behave(Behaviour::Take);
        pause(Duration::from_millis(100));
    }
    sink.away();
    pause(Duration::from_millis(300));
    sink.up();
    senders.stop();
    assert_eq!(ledger.refused(), 0);
    await_all(&sink, &ledger, PATIENCE);
    spanmill.stop();
}

/// Scenario: a backend refuses everything for good, then `spanmill replay` sends it again to the mended backend.
/// Guarantees: what was refused lies in a folder with reasons, nothing is lost, and after the replay everything has arrived and the folder is
/// empty.
#[test]
fn dead_letters_are_sent_again() {
    let (inlet, queue, sink) = (ports::free(), folder("queue"), Sink::start());
    sink.behave(Behaviour::Refuse(400, 3));
    let config = config(inlet, queue.path(), sink.port, "");
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let ledger = Arc::new(Ledger::default());
    let load = Load { port: inlet, senders: 1, spans: SPANS, pause: Duration::from_millis(1) };
    let senders = Senders::start(load, &ledger);
    until("some requests were acknowledged", PATIENCE, || (ledger.requests() >= 20).then_some(()));
    senders.stop();
    let letters = queue.path().join("exporter_otlp_grpc/dead_letters");
    let count = |suffix: &str| {
        let files = std::fs::read_dir(&letters).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_string_lossy().ends_with(suffix)).count()
    };
    until("all are set aside", PATIENCE, || (count(".json") == ledger.requests()).then_some(()));
    spanmill.stop();
    assert!(sink.traces().is_empty());

    sink.behave(Behaviour::Take);
    let scratch = folder("replay");
    let file = spanmill_tests::collector::write_config(&scratch, &config);
    let mut replay = std::process::Command::new(spanmill_tests::spanmill());
    let output = replay.arg("replay").arg("--config").arg(file).arg(&letters).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    await_all(&sink, &ledger, Duration::ZERO);
    assert_eq!((count(""), sink.duplicates()), (0, 0));
}

/// Scenario: the disk of the queue takes 1 MiB, and the backend is away.
/// Guarantees: senders are told to come again once it is full, what was acknowledged before arrives later, and then requests are taken again.
#[test]
fn full_disk_is_back_pressure() {
    let (inlet, queue, mut sink) = (ports::free(), folder("queue"), Sink::down(usize::MAX));
    let config = config(inlet, queue.path(), sink.port, "").replace("directory:", "max_size: 1048576, directory:");
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let ledger = Arc::new(Ledger::default());
    let senders = Senders::start(Load { port: inlet, senders: 2, spans: SPANS, pause: Duration::ZERO }, &ledger);
    until("requests are refused", PATIENCE, || (ledger.refused() > 10).then_some(()));
    let before = ledger.requests();
    sink.up();
    until("requests are taken again", PATIENCE, || (ledger.requests() > before + 100).then_some(()));
    senders.stop();
    await_all(&sink, &ledger, PATIENCE);
    spanmill.stop();
}

/// Scenario: SIGTERM comes while the backend is away, with many requests in the queue; the process is started again with the backend there.
/// Guarantees: it ends at once and with success, and everything arrives later.
#[test]
fn sigterm_leaves_what_is_durable() {
    let (inlet, queue, mut sink) = (ports::free(), folder("queue"), Sink::down(usize::MAX));
    let config = config(inlet, queue.path(), sink.port, "");
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    let ledger = Arc::new(Ledger::default());
    let senders = Senders::start(Load { port: inlet, senders: 4, spans: SPANS, pause: Duration::ZERO }, &ledger);
    until("some requests were acknowledged", PATIENCE, || (ledger.requests() >= 500).then_some(()));
    senders.stop();
    let told = Instant::now();
    spanmill.stop();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    sink.up();
    let mut spanmill = Collector::spanmill(&config, &[inlet]);
    await_all(&sink, &ledger, PATIENCE);
    spanmill.stop();
}
