use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::Traces;
use spanmill_pipeline::{Code, Telemetry};
use tokio::sync::mpsc;

use super::super::testing::Sink;
use super::limiter::{Intervals, Limits};
use super::*;

/// Memory in use, and what giving back would free.
#[derive(Debug, Clone, Default)]
struct Fake(Arc<FakeState>);

#[derive(Debug, Default)]
struct FakeState {
    used: AtomicU64,
    held: AtomicU64,
    given_back: AtomicU64,
}

impl Memory for Fake {
    fn used(&self) -> Option<u64> {
        Some(self.0.used.load(Ordering::SeqCst))
    }

    fn give_back(&self) {
        self.0.given_back.fetch_add(1, Ordering::SeqCst);
        self.0.used.fetch_sub(self.0.held.swap(0, Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Fake {
    fn uses(&self, bytes: u64) {
        self.0.used.store(bytes, Ordering::SeqCst);
    }

    fn holds(&self, bytes: u64) {
        self.0.held.store(bytes, Ordering::SeqCst);
    }

    fn times(&self) -> u64 {
        self.0.given_back.load(Ordering::SeqCst)
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn refusal(yaml: &str) -> String {
    let section = Section::from_yaml("processors::memory_limiter", yaml).unwrap();
    Config::read(&section).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

/// A request of one span.
fn request() -> Batch {
    Traces::parse(Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00")).unwrap().into()
}

/// Scenario: memory in use goes above the soft limit, above the hard limit, and back, once because freed memory was given back.
/// Guarantees: from the soft limit on requests are refused until memory is below it again; what giving back suffices for is not refused.
#[test]
fn limits() {
    let began = Instant::now();
    let intervals = Intervals { check: seconds(1), min: [seconds(10), seconds(0)], max: [seconds(30), seconds(30)] };
    let memory = Fake::default();
    let mut limiter = Limiter::new(Limits::new(1000, 0), intervals, memory.clone(), began);
    let mut check = |at: u64, used: u64| {
        memory.uses(used);
        limiter.check(began + seconds(at))
    };
    assert!(!check(1, 799));
    assert!(check(2, 800));
    assert_eq!(memory.times(), 0, "the soft limit waits ten seconds");
    assert!(!check(3, 700));
    memory.holds(500);
    assert!(!check(4, 1100), "giving back was enough");
    assert_eq!(memory.times(), 1);
    assert!(check(5, 1100));
    assert_eq!(memory.times(), 2, "above the hard limit it is tried at once");
}

/// Scenario: memory stays above the hard limit, with something to give back now and then.
/// Guarantees: tries become rarer, up to the longest time between them, and frequent again once memory shrinks.
#[test]
fn tries_become_rarer() {
    let began = Instant::now();
    let intervals = Intervals { check: seconds(1), min: [seconds(10), seconds(0)], max: [seconds(30), seconds(8)] };
    let memory = Fake::default();
    let mut limiter = Limiter::new(Limits::new(1000, 200), intervals, memory.clone(), began);
    let mut tried = Vec::new();
    for at in 1..40 {
        memory.uses(if at < 30 { 2000 } else { 1500 });
        let before = memory.times();
        assert!(limiter.check(began + seconds(at)));
        if memory.times() > before {
            tried.push(at);
        }
    }
    assert_eq!(tried, [1, 3, 7, 15, 24, 30, 32, 36]);
}

/// Scenario: requests before and after memory exceeds its limit, and after it is back.
/// Guarantees: a refused request is told to come again, with the Collector's words; all are counted under the Collector's names.
#[tokio::test(start_paused = true)]
async fn refuses_for_now() {
    let (memory, sink, telemetry) = (Fake::default(), Arc::new(Sink::default()), Telemetry::default());
    let id = ComponentId::new("memory_limiter", "").unwrap();
    let section = Section::from_yaml("processors::memory_limiter", "{check_interval: 1s, limit_mib: 100}").unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let next = Arc::clone(&sink) as Arc<dyn Consumer>;
    let limiter = MemoryLimiter::new(context, Signal::Traces, next, memory.clone()).unwrap();
    limiter.start(&Host::new(std::collections::HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();

    memory.uses(90 << 20);
    limiter.consume(request()).await.unwrap();
    while !limiter.state.is_refusing() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let error = limiter.consume(request()).await.unwrap_err();
    assert_eq!((error.code, error.retryable), (Code::Unavailable, true));
    assert_eq!(&*error.message, "data refused due to high memory usage");
    memory.uses(10 << 20);
    while limiter.state.is_refusing() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    limiter.consume(request()).await.unwrap();
    limiter.shutdown().await.unwrap();

    assert_eq!(sink.0.lock().unwrap().len(), 2);
    let count = |outcome: &str| {
        let name = format!("otelcol_processor_memory_limiter_{outcome}_spans");
        telemetry.counter(&name, "", &[("processor", "memory_limiter")]).get()
    };
    assert_eq!((count("accepted"), count("refused")), (2, 1));
}

/// Scenario: memory fills within the time between two checks, while requests come; a receiver asks before it reads a large one.
/// Guarantees: it is noticed once an eighth of what was left has come, whenever the next check is due.
#[tokio::test(start_paused = true)]
async fn refuses_in_time() {
    let (memory, sink, telemetry) = (Fake::default(), Arc::new(Sink::default()), Telemetry::default());
    let id = ComponentId::new("memory_limiter", "").unwrap();
    let section = Section::from_yaml("processors::memory_limiter", "{check_interval: 1h, limit_mib: 100}").unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let next = Arc::clone(&sink) as Arc<dyn Consumer>;
    let limiter = MemoryLimiter::new(context, Signal::Traces, next, memory.clone()).unwrap();
    memory.uses(90 << 20);
    let large = (0..80).take_while(|_| limiter.ready().is_ok()).count();
    assert_eq!(large, 39, "pieces of a quarter of a MiB until a tenth of 100 MiB has come");
    assert!(limiter.consume(request()).await.is_err());
}

/// Scenario: configurations at the borders of what is allowed.
/// Guarantees: the Collector's verdicts, with the option's name.
#[test]
fn options() {
    for accepted in [
        "{check_interval: 1s, limit_mib: 1}",
        "{check_interval: 1ns, limit_percentage: 100, spike_limit_percentage: 99}",
        "{check_interval: 1s, limit_mib: 10, spike_limit_mib: 9, spike_limit_percentage: 100}",
        "{check_interval: 1s, limit_mib: 10, limit_percentage: 1}",
        "{check_interval: 1s, limit_mib: 10, min_gc_interval_when_soft_limited: 0s}",
        "{check_interval: 1s, limit_mib: 10, max_gc_interval_when_soft_limited: 0s, max_gc_interval_when_hard_limited: 1h}",
    ] {
        assert_eq!(refusal(accepted), "accepted", "{accepted}");
    }
    for (yaml, expected) in [
        ("{limit_mib: 10}", "check_interval: 'check_interval' must be greater than zero"),
        ("{check_interval: 1s}", "limit_mib: 'limit_mib' or 'limit_percentage' must be greater than zero"),
        ("{check_interval: 1s, limit_mib: 10, spike_limit_mib: 10}", "'spike_limit_mib' must be smaller"),
        ("{check_interval: 1s, limit_percentage: 101}", "less than or equal to hundred"),
        ("{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 50}", "spike_limit_percentage: "),
        ("{check_interval: 1s, limit_mib: 10, min_gc_interval_when_hard_limited: 11s}", "min_gc_interval_when_soft"),
        ("{check_interval: 1s, limit_mib: 10, max_gc_interval_when_soft_limited: 5s}", "(or 0 to disable)"),
        ("{check_interval: 1s, limit_mib: 10, max_gc_interval_when_soft_limited: 20s}", "(when both are set)"),
        ("{check_interval: 1s, limit_mib: 10, max_gc_interval_when_hard_limited: -1s}", "must be non-negative"),
        ("{check_interval: 1s, limit_mib: -1}", "limit_mib"),
        ("{check_interval: 1s, limit_mib: 10, ballast_size_mib: 3}", "unknown key"),
    ] {
        let refusal = refusal(yaml);
        assert!(refusal.contains(expected), "{yaml}: {refusal}");
    }
}
