use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Opaque, Traces};
use spanmill_pipeline::{Client, Telemetry};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, advance, sleep};

use super::super::background::{ROOM, WAITING_REQUESTS};
use super::*;

/// Takes batches, or refuses the first few of them.
struct Sink {
    taken: mpsc::UnboundedSender<(Instant, Batch)>,
    clients: mpsc::UnboundedSender<Vec<String>>,
    refusals: AtomicUsize,
    refuse_with: ConsumeError,
}

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let left = self.refusals.load(Ordering::SeqCst);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Err(self.refuse_with.clone());
        }
        self.taken.send((Instant::now(), batch)).unwrap();
        self.clients.send(Client::current(|client| client.metadata("x-tenant"))).unwrap();
        Ok(())
    }
}

struct Rig {
    processor: Arc<dyn Node>,
    taken: UnboundedReceiver<(Instant, Batch)>,
    /// Of which tenant each batch was.
    clients: UnboundedReceiver<Vec<String>>,
    telemetry: Telemetry,
    began: Instant,
}

impl Rig {
    async fn new(yaml: &str, signal: Signal, refusals: usize, refuse_with: ConsumeError) -> Self {
        let (sender, taken) = mpsc::unbounded_channel();
        let (told, clients) = mpsc::unbounded_channel();
        let sink = Sink { taken: sender, clients: told, refusals: AtomicUsize::new(refusals), refuse_with };
        let telemetry = Telemetry::default();
        let id: ComponentId = "batch".parse().unwrap();
        let section = Section::from_yaml("processors::batch", yaml).unwrap();
        let context = Context { id: &id, section: &section, telemetry: &telemetry };
        let processor = create(context, signal, Arc::new(sink)).unwrap();
        processor.start(&Host::new(Default::default(), mpsc::unbounded_channel().0)).await.unwrap();
        Self { processor, taken, clients, telemetry, began: Instant::now() }
    }

    async fn traces(yaml: &str) -> Self {
        Self::new(yaml, Signal::Traces, 0, ConsumeError::retryable("later")).await
    }

    async fn send(&self, spans: usize) {
        self.processor.consume(request(spans).into()).await.unwrap();
    }

    /// Items of the next batch, and after how many milliseconds it came.
    async fn next(&mut self) -> (usize, u128) {
        let (at, batch) = self.taken.recv().await.unwrap();
        (batch.item_count(), (at - self.began).as_millis())
    }

    fn counter(&self, name: &str) -> u64 {
        self.telemetry.counter(name, "", &[("processor", "batch")]).get()
    }
}

/// One resource, one scope, and spans that have a name of ten bytes: 12 bytes each, 14 with their header.
fn request(spans: usize) -> Traces {
    let spans: Vec<u8> = (0..spans).flat_map(|_| *b"\x12\x0c\x2a\x0aspan-name-").collect();
    Traces::parse(wrap(&spans)).unwrap()
}

/// Bytes of log records, in one resource and one scope.
fn logs(records: usize) -> Opaque {
    let records: Vec<u8> = (0..records).flat_map(|_| *b"\x12\x03\x1a\x01x").collect();
    Opaque::parse(Signal::Logs, wrap(&records)).unwrap()
}

fn wrap(items: &[u8]) -> Bytes {
    delimited(0x0a, &delimited(0x12, items)).into()
}

fn delimited(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let mut len = body.len();
    while len >= 0x80 {
        out.push((len as u8 & 0x7f) | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(body);
    out
}

/// Scenario: two small requests, and nothing more for the time of the timeout.
/// Guarantees: they leave as one, 200 ms after the first came, and the timeout is counted.
#[tokio::test(start_paused = true)]
async fn timeout_sends() {
    let mut rig = Rig::traces("").await;
    rig.send(2).await;
    sleep(Duration::from_millis(150)).await;
    rig.send(3).await;
    assert_eq!(rig.next().await, (5, 200));
    assert_eq!(rig.counter("otelcol_processor_batch_timeout_trigger_send"), 1);
    assert_eq!(rig.counter("otelcol_processor_batch_batch_size_trigger_send"), 0);
}

/// Scenario: requests up to the size, by items and by bytes, and with a timeout of zero.
/// Guarantees: a batch leaves at once when it is full, and every request at once where there is no timeout.
#[tokio::test(start_paused = true)]
async fn size_sends() {
    let mut rig = Rig::traces("{send_batch_size: 10}").await;
    for _ in 0..3 {
        rig.send(4).await;
    }
    assert_eq!(rig.next().await, (12, 0));
    assert_eq!(rig.counter("otelcol_processor_batch_batch_size_trigger_send"), 1);

    let mut rig = Rig::traces("{send_batch_bytes: 100, timeout: 1h}").await;
    for _ in 0..2 {
        rig.send(4).await;
    }
    assert_eq!(rig.next().await, (8, 0));

    let mut rig = Rig::traces("{timeout: 0s}").await;
    rig.send(1).await;
    assert_eq!(rig.next().await, (1, 0));
}

/// Scenario: a large request, with limits on items and on bytes; and one of log records.
/// Guarantees: parts keep to the limits, in order, nothing is lost, and the histogram has every part.
#[tokio::test(start_paused = true)]
async fn large_batches_are_split() {
    let mut rig = Rig::traces("{send_batch_size: 4, send_batch_max_size: 4}").await;
    rig.send(10).await;
    assert_eq!([rig.next().await.0, rig.next().await.0, rig.next().await.0], [4, 4, 2]);
    let size = &Metrics::new(&rig.telemetry, "batch").size.unwrap();
    assert_eq!((size.get_sample_count(), size.get_sample_sum()), (3, 10.0));

    let mut rig = Rig::traces("{send_batch_size: 4, send_batch_max_bytes: 60}").await;
    rig.send(10).await;
    let mut spans = 0;
    while spans < 10 {
        let (_, batch) = rig.taken.recv().await.unwrap();
        assert!(batch.encoded_len() <= 60, "{}", batch.encoded_len());
        spans += batch.item_count();
    }
    assert_eq!(spans, 10);

    let later = ConsumeError::retryable("later");
    let mut rig = Rig::new("{send_batch_size: 3, send_batch_max_size: 3}", Signal::Logs, 0, later).await;
    rig.processor.consume(logs(2).into()).await.unwrap();
    rig.processor.consume(logs(2).into()).await.unwrap();
    assert_eq!([rig.next().await.0, rig.next().await.0], [3, 1]);
}

/// Scenario: the next component refuses a batch twice for now; another processor's refuses once for good.
/// Guarantees: the first batch is offered again with growing delays and taken; the second is dropped and counted.
#[tokio::test(start_paused = true)]
async fn refusals() {
    let mut rig = Rig::new("{send_batch_size: 1}", Signal::Traces, 2, ConsumeError::retryable("later")).await;
    rig.send(1).await;
    assert_eq!(rig.next().await, (1, 300));
    assert_eq!(rig.counter("spanmill_processor_batch_dropped_items"), 0);

    let soon = ConsumeError::retryable("later").with_retry_after(Duration::from_secs(2));
    let mut rig = Rig::new("{send_batch_size: 1}", Signal::Traces, 1, soon).await;
    rig.send(1).await;
    assert_eq!(rig.next().await, (1, 2000));

    let mut rig = Rig::new("{send_batch_size: 1}", Signal::Traces, 1, ConsumeError::permanent("never")).await;
    rig.send(2).await;
    rig.send(3).await;
    assert_eq!(rig.next().await, (3, 0));
    assert_eq!(rig.counter("spanmill_processor_batch_dropped_items"), 2);
}

/// Scenario: the next component refuses without end, and more requests come than there is room for.
/// Guarantees: the room is bounded; the request that finds none is refused for now after five seconds, with a delay.
#[tokio::test(start_paused = true)]
async fn full_is_back_pressure() {
    let rig = Rig::new("{send_batch_size: 1}", Signal::Traces, usize::MAX, ConsumeError::retryable("later")).await;
    let mut accepted = 0;
    let error = loop {
        match rig.processor.consume(request(1).into()).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100);
    };
    assert!((WAITING_REQUESTS..=WAITING_REQUESTS + 2).contains(&accepted), "{accepted}");
    assert!(error.retryable && error.retry_after.is_some(), "{error:?}");
    assert_eq!(rig.began.elapsed(), ROOM);
}

/// Scenario: the processor is stopped while it holds requests, and while the next component refuses without end.
/// Guarantees: what is held is sent; where that fails the end comes all the same and the loss is counted; later requests are refused.
#[tokio::test(start_paused = true)]
async fn stopping_sends_what_is_held() {
    let mut rig = Rig::traces("{timeout: 1h}").await;
    rig.send(7).await;
    rig.processor.shutdown().await.unwrap();
    assert_eq!(rig.next().await.0, 7);
    let error = rig.processor.consume(request(1).into()).await.unwrap_err();
    assert!(error.retryable, "{error}");

    let rig = Rig::new("{send_batch_size: 2}", Signal::Traces, usize::MAX, ConsumeError::retryable("later")).await;
    rig.send(2).await;
    rig.send(1).await;
    advance(Duration::from_millis(150)).await;
    rig.processor.shutdown().await.unwrap();
    assert_eq!(rig.counter("spanmill_processor_batch_dropped_items"), 3);
}

/// Scenario: options that contradict each other or that are not supported.
/// Guarantees: each is refused by its name.
#[test]
fn wrong_options() {
    let cases = [
        (
            "{send_batch_size: 10, send_batch_max_size: 9}",
            "send_batch_max_size must be greater or equal to send_batch_size",
        ),
        ("{send_batch_bytes: 10, send_batch_max_bytes: 9}", "send_batch_max_bytes must be greater or equal"),
        ("{timeout: -1s}", "timeout must be greater or equal to 0"),
        ("{metadata_keys: [tenant, Tenant]}", "duplicate entry in metadata_keys: \"tenant\" (case-insensitive)"),
        ("{send_batch: 1}", "unknown key"),
    ];
    for (yaml, expected) in cases {
        let section = Section::from_yaml("processors::batch", yaml).unwrap();
        let error = Config::read(&section).unwrap_err().to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
    Config::read(&Section::empty("processors::batch")).unwrap();
}

/// Scenario: few items with many bytes, and no limit on bytes.
/// Guarantees: what is held stays bounded: at 64 MiB it leaves.
#[tokio::test(start_paused = true)]
async fn bytes_are_bounded() {
    let mut rig = Rig::traces("{timeout: 1h}").await;
    let span = delimited(0x2a, &vec![b'x'; 33 << 20]);
    let request = Traces::parse(wrap(&delimited(0x12, &span))).unwrap();
    rig.processor.consume(request.clone().into()).await.unwrap();
    rig.processor.consume(request.into()).await.unwrap();
    assert_eq!(rig.next().await, (2, 0));
}

/// Scenario: requests of two tenants and of nobody, and of a third tenant where two combinations are allowed; one of them fills its batch.
/// Guarantees: nobody's spans are joined with another's, and what follows knows whose a batch is; one tenant that waits does not keep another;
/// beyond the limit a request is refused for good; at the end what is held is sent.
#[tokio::test(start_paused = true)]
async fn batches_by_metadata() {
    let tenant = |name: &'static str| {
        let headers = [("x-tenant", name), ("user-agent", "sdk")]
            .map(|(key, value)| (key.parse::<http::HeaderName>().unwrap(), http::HeaderValue::from_static(value)));
        Client { headers: Some(headers.into_iter().collect()), ..Client::default() }
    };
    let yaml = "{metadata_keys: [X-Tenant], send_batch_size: 5, timeout: 1h, metadata_cardinality_limit: 2}";
    let mut rig = Rig::traces(yaml).await;
    tenant("a").scope(rig.send(2)).await;
    tenant("b").scope(rig.send(4)).await;
    tenant("b").scope(rig.send(1)).await;
    assert_eq!(rig.next().await, (5, 0));
    assert_eq!(rig.clients.recv().await.unwrap(), ["b"]);
    let error = rig.processor.consume(request(1).into()).await.unwrap_err();
    assert_eq!((error.retryable, &*error.message), (false, "too many batcher metadata-value combinations"));
    tenant("a").scope(rig.send(1)).await;
    let cardinality =
        rig.telemetry.gauge("otelcol_processor_batch_metadata_cardinality", "", &[("processor", "batch")]);
    assert_eq!(cardinality.get(), 2);
    rig.processor.shutdown().await.unwrap();
    assert_eq!(rig.next().await, (3, 0));
    assert_eq!(rig.clients.recv().await.unwrap(), ["a"]);
    assert!(tenant("a").scope(rig.processor.consume(request(1).into())).await.unwrap_err().retryable);

    let mut rig = Rig::traces("{metadata_keys: [x-tenant], metadata_cardinality_limit: 0}").await;
    rig.send(1).await;
    tenant("a").scope(rig.send(1)).await;
    assert_eq!([rig.next().await.0, rig.next().await.0], [1, 1]);
}
