use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Signal, Traces};
use spanmill_pipeline::{Batch, Code, Component, Consumer, Context, Host, Telemetry};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::{Answer, RetryOnFailure, SendError, Sending, SendingQueue, Transport};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    sending_queue: SendingQueue,
    retry_on_failure: RetryOnFailure,
}

/// Answers as scripted, then well; hands on how many spans each request had.
struct Script {
    answers: Mutex<VecDeque<Result<Answer, SendError>>>,
    sent: mpsc::UnboundedSender<usize>,
    /// Where set, no answer comes before it is told.
    gate: Option<Arc<Notify>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, _signal: Signal, request: Bytes) -> Result<Answer, SendError> {
        self.sent.send(Traces::parse(request).unwrap().span_count()).unwrap();
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Ok(Answer::default()))
    }
}

struct Setup {
    exporter: Sending<Script>,
    sent: mpsc::UnboundedReceiver<usize>,
    telemetry: Telemetry,
}

impl Setup {
    fn count(&self, name: &str) -> u64 {
        self.telemetry.counter(name, "", &[("exporter", "otlp_grpc")]).get()
    }
}

async fn start(yaml: &str, answers: Vec<Result<Answer, SendError>>, gate: Option<Arc<Notify>>) -> Setup {
    let section = Section::from_yaml("exporters::otlp_grpc", yaml).unwrap();
    let options: Options = section.parse().unwrap();
    options.sending_queue.check(&section).unwrap();
    options.retry_on_failure.check(&section).unwrap();
    let (id, telemetry) = (ComponentId::new("otlp_grpc", "").unwrap(), Telemetry::default());
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let (sender, sent) = mpsc::unbounded_channel();
    let script = Script { answers: Mutex::new(answers.into()), sent: sender, gate };
    let exporter = Sending::new(&context, script, options.sending_queue, options.retry_on_failure);
    exporter.start(&Host::new(HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();
    Setup { exporter, sent, telemetry }
}

/// A request of so many empty spans.
fn request(spans: u8) -> Batch {
    let mut bytes = vec![0x0a, 2 + 2 * spans, 0x12, 2 * spans];
    for _ in 0..spans {
        bytes.extend_from_slice(&[0x12, 0]);
    }
    Batch::from(Traces::parse(Bytes::from(bytes)).unwrap())
}

fn refusal(yaml: &str) -> String {
    let section = Section::from_yaml("exporters::otlp_grpc", yaml).unwrap();
    let options: Options = match section.parse() {
        Ok(options) => options,
        Err(error) => return error.to_string(),
    };
    let checked = options.sending_queue.check(&section).and_then(|()| options.retry_on_failure.check(&section));
    checked.err().map(|error| error.to_string()).unwrap_or_default()
}

/// Scenario: the backend is away for two tries.
/// Guarantees: the same request is sent again after waits that grow from the configured one, and counts as sent once.
#[tokio::test(start_paused = true)]
async fn tries_again_until_it_works() {
    let away = || Err(SendError::unreachable("away"));
    let yaml = "{retry_on_failure: {initial_interval: 2s, randomization_factor: 0}}";
    let mut setup = start(yaml, vec![away(), away()], None).await;
    let begin = Instant::now();
    setup.exporter.consume(request(3)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(setup.sent.recv().await, Some(3));
    }
    assert_eq!(begin.elapsed().as_secs(), 5, "2 s and then 3 s");
    setup.exporter.shutdown().await.unwrap();
    assert_eq!(setup.count("otelcol_exporter_sent_spans"), 3);
    assert_eq!(setup.count("otelcol_exporter_send_failed_spans"), 0);
}

/// Scenario: the backend asks for a pause of 17 s.
/// Guarantees: exactly that is waited.
#[tokio::test(start_paused = true)]
async fn waits_as_long_as_asked() {
    let busy = SendError { retry_after: Some(Duration::from_secs(17)), ..SendError::unreachable("busy") };
    let mut setup = start("{}", vec![Err(busy)], None).await;
    let begin = Instant::now();
    setup.exporter.consume(request(1)).await.unwrap();
    assert_eq!((setup.sent.recv().await, setup.sent.recv().await), (Some(1), Some(1)));
    assert_eq!(begin.elapsed().as_secs(), 17);
}

/// Scenario: a request is refused for good, another one for longer than `max_elapsed_time`.
/// Guarantees: the first is sent once, the second until the time is over; both are counted as failed.
#[tokio::test(start_paused = true)]
async fn gives_up_and_counts() {
    let never = SendError::permanent(Code::InvalidArgument, "bad");
    let yaml = "{retry_on_failure: {initial_interval: 1s, max_interval: 1s, max_elapsed_time: 3s, \
                randomization_factor: 0}}";
    let mut answers = vec![Err(never)];
    answers.extend((0..9).map(|_| Err(SendError::unreachable("away"))));
    let mut setup = start(yaml, answers, None).await;
    setup.exporter.consume(request(2)).await.unwrap();
    assert_eq!(setup.sent.recv().await, Some(2));
    setup.exporter.consume(request(5)).await.unwrap();
    for _ in 0..4 {
        assert_eq!(setup.sent.recv().await, Some(5), "at 0, 1, 2 and 3 s");
    }
    setup.exporter.shutdown().await.unwrap();
    assert!(setup.sent.try_recv().is_err());
    assert_eq!(setup.count("otelcol_exporter_send_failed_spans"), 7);
    assert_eq!(setup.count("otelcol_exporter_sent_spans"), 0);
}

/// Scenario: the backend takes a request but refuses two of its five spans.
/// Guarantees: they count as failed, the others as sent, and nothing is sent again.
#[tokio::test(start_paused = true)]
async fn partial_success_is_final() {
    let partly = Answer { rejected: 2, message: "too old".to_owned() };
    let mut setup = start("{}", vec![Ok(partly)], None).await;
    setup.exporter.consume(request(5)).await.unwrap();
    setup.exporter.shutdown().await.unwrap();
    assert_eq!((setup.sent.try_recv().ok(), setup.sent.try_recv().ok()), (Some(5), None));
    assert_eq!(setup.count("otelcol_exporter_sent_spans"), 3);
    assert_eq!(setup.count("otelcol_exporter_send_failed_spans"), 2);
}

/// Scenario: a queue of two requests, and a backend that does not answer.
/// Guarantees: the third request is refused as retryable and counted; once there is room, the next one is taken.
#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses() {
    let gate = Arc::new(Notify::new());
    let yaml = "{sending_queue: {queue_size: 2, num_consumers: 1}}";
    let mut setup = start(yaml, vec![], Some(Arc::clone(&gate))).await;
    setup.exporter.consume(request(1)).await.unwrap();
    setup.exporter.consume(request(2)).await.unwrap();
    let error = setup.exporter.consume(request(4)).await.unwrap_err();
    assert!(error.retryable && error.message.contains("sending queue is full"), "{error:?}");
    assert_eq!(setup.count("otelcol_exporter_enqueue_failed_spans"), 4);
    assert_eq!(setup.sent.recv().await, Some(1));
    gate.notify_one();
    assert_eq!(setup.sent.recv().await, Some(2), "the first is done, so there is room");
    setup.exporter.consume(request(5)).await.unwrap();
}

/// Scenario: as before, with `block_on_overflow`.
/// Guarantees: the third request waits, and is taken as soon as there is room.
#[tokio::test(start_paused = true)]
async fn a_full_queue_can_block() {
    let gate = Arc::new(Notify::new());
    let yaml = "{sending_queue: {queue_size: 1, num_consumers: 1, block_on_overflow: true}}";
    let mut setup = start(yaml, vec![], Some(Arc::clone(&gate))).await;
    setup.exporter.consume(request(1)).await.unwrap();
    assert_eq!(setup.sent.recv().await, Some(1));
    let mut waiting = Box::pin(setup.exporter.consume(request(2)));
    assert!(tokio::time::timeout(Duration::from_secs(60), &mut waiting).await.is_err(), "no room yet");
    gate.notify_one();
    waiting.await.unwrap();
}

/// Scenario: `wait_for_result`, and once no queue at all; the backend refuses.
/// Guarantees: in both cases the client gets the backend's answer.
#[tokio::test(start_paused = true)]
async fn clients_can_get_the_answer() {
    for yaml in ["{sending_queue: {wait_for_result: true}}", "{sending_queue: {enabled: false}}"] {
        let never = SendError::permanent(Code::PermissionDenied, "who are you?");
        let setup = start(yaml, vec![Err(never)], None).await;
        let error = setup.exporter.consume(request(1)).await.unwrap_err();
        assert_eq!((error.code, error.retryable), (Code::PermissionDenied, false), "{yaml}");
        setup.exporter.consume(request(1)).await.unwrap();
    }
}

/// Scenario: batches of at least 5 and at most 4 + 4 spans; then a single small request.
/// Guarantees: requests are joined and split in order, and a small batch goes when its time has come.
#[tokio::test(start_paused = true)]
async fn joins_and_splits() {
    let yaml = "{sending_queue: {batch: {min_size: 5, max_size: 5, flush_timeout: 300ms}}}";
    let mut setup = start(yaml, vec![], None).await;
    setup.exporter.consume(request(3)).await.unwrap();
    setup.exporter.consume(request(4)).await.unwrap();
    assert_eq!((setup.sent.recv().await, setup.sent.recv().await), (Some(5), Some(2)));
    let begin = Instant::now();
    setup.exporter.consume(request(1)).await.unwrap();
    assert_eq!(setup.sent.recv().await, Some(1));
    assert!(begin.elapsed() >= Duration::from_millis(300));
    setup.exporter.shutdown().await.unwrap();
    assert_eq!(setup.count("otelcol_exporter_sent_spans"), 8);
}

/// Scenario: requests wait in a batch when the service stops.
/// Guarantees: they are sent before shutdown returns; later ones are refused as retryable.
#[tokio::test(start_paused = true)]
async fn drains_at_shutdown() {
    let mut setup = start("{sending_queue: {batch: {flush_timeout: 1h}}}", vec![], None).await;
    setup.exporter.consume(request(3)).await.unwrap();
    setup.exporter.consume(request(4)).await.unwrap();
    setup.exporter.shutdown().await.unwrap();
    assert_eq!(setup.sent.try_recv(), Ok(7));
    assert!(setup.exporter.consume(request(1)).await.unwrap_err().retryable);
}

/// Scenario: options that contradict each other, or ask for what there is not.
/// Guarantees: each is refused with its name, in the Collector's words.
#[test]
fn refuses_wrong_options() {
    for (yaml, expected) in [
        ("{sending_queue: {queue_size: 0}}", "`queue_size` must be positive"),
        ("{sending_queue: {num_consumers: 0}}", "`num_consumers` must be positive"),
        ("{sending_queue: {storage: file_storage}}", "persistent queues are not supported"),
        (
            "{sending_queue: {batch: {min_size: 9, max_size: 5}}}",
            "`max_size` (5) must be greater or equal to `min_size` (9)",
        ),
        ("{sending_queue: {sizer: items, queue_size: 5, batch: {min_size: 9}}}", "less than or equal to `queue_size`"),
        ("{sending_queue: {batch: {sizer: requests}}}", "supports only `items` or `bytes`"),
        ("{retry_on_failure: {max_elapsed_time: 1s}}", "must not be less than 'initial_interval'"),
        ("{retry_on_failure: {multiplier: -1}}", "'multiplier' must be non-negative"),
        ("{sending_queue: {queue_siz: 1}}", "queue_size"),
    ] {
        let error = refusal(yaml);
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
