use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Signal, Traces};
use spanmill_pipeline::{Batch, ConsumeError, Consumer, Context, Host, Node, Telemetry};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::FACTORY;

/// Hands on what it gets, after having refused the first few offers.
struct Sink {
    refusals: AtomicUsize,
    error: ConsumeError,
    taken: mpsc::UnboundedSender<usize>,
}

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let refuse = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuse).is_ok() {
            return Err(self.error.clone());
        }
        self.taken.send(batch.item_count()).unwrap();
        Ok(())
    }
}

struct Setup {
    node: Arc<dyn Node>,
    taken: mpsc::UnboundedReceiver<usize>,
    telemetry: Telemetry,
}

async fn start(yaml: &str, refusals: usize, error: ConsumeError) -> Setup {
    let (sender, taken) = mpsc::unbounded_channel();
    let next = Arc::new(Sink { refusals: AtomicUsize::new(refusals), error, taken: sender });
    let (id, telemetry) = (ComponentId::new("batch", "").unwrap(), Telemetry::default());
    let section = Section::from_yaml("processors::batch", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let node = (FACTORY.create)(context, Signal::Traces, next).unwrap();
    node.start(&Host::new(HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();
    Setup { node, taken, telemetry }
}

/// A request of so many spans, each an empty message.
fn request(spans: u8) -> Batch {
    let mut bytes = vec![0x0a, 2 + 2 * spans, 0x12, 2 * spans];
    for _ in 0..spans {
        bytes.extend_from_slice(&[0x12, 0]);
    }
    Batch::from(Traces::parse(Bytes::from(bytes)).unwrap())
}

fn dropped(telemetry: &Telemetry) -> u64 {
    telemetry.counter("spanmill_processor_batch_dropped_items", "", &[("processor", "batch")]).get()
}

/// Scenario: requests of 3 spans come in, with a batch size of 5 and a maximum of 5.
/// Guarantees: a batch goes out as soon as it is full, split at the maximum, without waiting for the time to pass.
#[tokio::test(start_paused = true)]
async fn sends_when_full_and_splits() {
    let yaml = "{send_batch_size: 5, send_batch_max_size: 5, timeout: 1h}";
    let mut setup = start(yaml, 0, ConsumeError::retryable("")).await;
    let begin = Instant::now();
    setup.node.consume(request(3)).await.unwrap();
    setup.node.consume(request(3)).await.unwrap();
    assert_eq!((setup.taken.recv().await, setup.taken.recv().await), (Some(5), Some(1)));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

/// Scenario: one small request, and nothing after it.
/// Guarantees: it goes out when the time has passed, not before.
#[tokio::test(start_paused = true)]
async fn sends_when_time_is_up() {
    let mut setup = start("{timeout: 300ms}", 0, ConsumeError::retryable("")).await;
    let begin = Instant::now();
    setup.node.consume(request(2)).await.unwrap();
    assert_eq!(setup.taken.recv().await, Some(2));
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
}

/// Scenario: batches are bounded by bytes: an empty span takes 2, a request of 10 spans 24.
/// Guarantees: a batch goes out when it holds enough bytes, in parts that keep to the maximum and lose no span.
#[tokio::test(start_paused = true)]
async fn counts_bytes() {
    let yaml = "{send_batch_bytes: 20, send_batch_max_bytes: 20, timeout: 1h}";
    let mut setup = start(yaml, 0, ConsumeError::retryable("")).await;
    setup.node.consume(request(10)).await.unwrap();
    let first = setup.taken.recv().await.unwrap();
    assert_eq!(first + setup.taken.recv().await.unwrap(), 10);
    assert!(first <= 8, "{first} spans do not fit 20 bytes");
}

/// Scenario: a request is held when the service stops.
/// Guarantees: it is sent before shutdown returns; later requests are refused as retryable.
#[tokio::test(start_paused = true)]
async fn flushes_at_shutdown() {
    let mut setup = start("{timeout: 1h}", 0, ConsumeError::retryable("")).await;
    setup.node.consume(request(4)).await.unwrap();
    setup.node.shutdown().await.unwrap();
    assert_eq!(setup.taken.try_recv(), Ok(4));
    assert!(setup.node.consume(request(1)).await.unwrap_err().retryable);
}

/// Scenario: the next component refuses a batch three times for now, asking for a pause of two seconds.
/// Guarantees: the batch is offered again after each pause and arrives; nothing is counted as dropped.
#[tokio::test(start_paused = true)]
async fn offers_again_after_a_refusal() {
    let busy = ConsumeError::retryable("busy").with_retry_after(Duration::from_secs(2));
    let mut setup = start("{send_batch_size: 1}", 3, busy).await;
    let begin = Instant::now();
    setup.node.consume(request(7)).await.unwrap();
    assert_eq!(setup.taken.recv().await, Some(7));
    assert!(begin.elapsed() >= Duration::from_secs(6), "{:?}", begin.elapsed());
    assert_eq!(dropped(&setup.telemetry), 0);
}

/// Scenario: the next component refuses one batch for good.
/// Guarantees: its spans are counted as dropped, and the next batch goes through.
#[tokio::test(start_paused = true)]
async fn counts_what_is_refused_for_good() {
    let mut setup = start("{send_batch_size: 1}", 1, ConsumeError::permanent("too large")).await;
    setup.node.consume(request(7)).await.unwrap();
    setup.node.consume(request(2)).await.unwrap();
    assert_eq!(setup.taken.recv().await, Some(2));
    assert_eq!(dropped(&setup.telemetry), 7);
}

/// Scenario: configurations that contradict themselves, or ask for what there is not.
/// Guarantees: each is refused with the option's name.
#[test]
fn refuses_wrong_options() {
    let wrong = [
        ("{send_batch_size: 10, send_batch_max_size: 5}", "send_batch_max_size must be greater or equal"),
        ("{send_batch_bytes: 10, send_batch_max_bytes: 5}", "send_batch_max_bytes must be greater or equal"),
        ("{metadata_keys: [tenant]}", "metadata_keys"),
        ("{timeout: -1s}", "timeout"),
        ("{send_batch_siz: 1}", "send_batch_size"),
    ];
    for (yaml, expected) in wrong {
        let section = Section::from_yaml("processors::batch", yaml).unwrap();
        let error = super::Config::read(&section).unwrap_err().to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
