use std::collections::HashMap;

use bytes::Bytes;
use spanmill_config::ComponentId;
use spanmill_otlp::Traces;
use spanmill_pipeline::{ConsumeError, Host, Telemetry};
use tokio::sync::mpsc;

use super::super::testing::Sink;
use super::*;

struct Refusing;

#[async_trait]
impl Consumer for Refusing {
    async fn consume(&self, _batch: Batch) -> Result<(), ConsumeError> {
        Err(ConsumeError::retryable("not now"))
    }
}

fn processor(yaml: &str, next: Arc<dyn Consumer>, telemetry: &Telemetry) -> Result<Arc<dyn Node>, ConfigError> {
    let id = ComponentId::new("queuebatch", "").unwrap();
    let section = Section::from_yaml("processors::queuebatch", yaml).unwrap();
    create(Context { id: &id, section: &section, telemetry }, Signal::Traces, next)
}

async fn start(node: &Arc<dyn Node>) {
    node.start(&Host::new(HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();
}

/// A request of one span.
fn request() -> Batch {
    Traces::parse(Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00")).unwrap().into()
}

fn count(telemetry: &Telemetry, what: &str) -> u64 {
    telemetry.counter(&format!("otelcol_processor_queuebatch_{what}_items"), "", &[("processor", "queuebatch")]).get()
}

/// Scenario: five requests, with batches of two spans at most, and the end.
/// Guarantees: senders are answered at once; batches are joined by their size, and what is left goes at the end; all is counted.
#[tokio::test(start_paused = true)]
async fn batches() {
    let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
    let yaml = "{batch: {min_size: 2, max_size: 2, flush_timeout: 1h}}";
    let node = processor(yaml, Arc::clone(&sink) as Arc<dyn Consumer>, &telemetry).unwrap();
    start(&node).await;
    for _ in 0..5 {
        node.consume(request()).await.unwrap();
    }
    node.shutdown().await.unwrap();
    let sizes: Vec<usize> = sink.0.lock().unwrap().iter().map(Traces::span_count).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!((count(&telemetry, "sent"), count(&telemetry, "send_failed")), (5, 0));
}

/// Scenario: what follows refuses, with and without waiting for the result.
/// Guarantees: who waits is told; for who does not the loss is counted.
#[tokio::test(start_paused = true)]
async fn refusals() {
    for (yaml, told) in [("{wait_for_result: true}", true), ("{batch: {enabled: false}}", false)] {
        let telemetry = Telemetry::default();
        let node = processor(yaml, Arc::new(Refusing), &telemetry).unwrap();
        start(&node).await;
        assert_eq!(node.consume(request()).await.is_err(), told, "{yaml}");
        node.shutdown().await.unwrap();
        assert_eq!((count(&telemetry, "sent"), count(&telemetry, "send_failed")), (0, 1), "{yaml}");
    }
}

/// Scenario: the defaults, and options with mistakes.
/// Guarantees: the documented defaults; refusals name the option.
#[test]
fn options() {
    let read = |yaml: &str| Config::read(&Section::from_yaml("processors::queuebatch", yaml).unwrap());
    let default = read("").unwrap();
    assert_eq!((default.num_consumers, default.queue_size, default.block_on_overflow), (1, 10, true));
    assert_eq!(default.batch.as_ref().map(|batch| batch.min_size), Some(8192));
    assert!(!read("{batch: {enabled: false}}").unwrap().batch.is_on());
    for (yaml, expected) in [
        ("{queue_size: 0}", "processors::queuebatch::queue_size: `queue_size` must be positive"),
        ("{num_consumers: 0}", "processors::queuebatch::num_consumers"),
        ("{batch: {min_size: 5, max_size: 4}}", "processors::queuebatch::batch::max_size"),
        ("{storage: file_storage, wait_for_result: true}", "processors::queuebatch::wait_for_result"),
        ("{enabled: true}", "unknown key"),
    ] {
        let error = read(yaml).unwrap_err().to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
