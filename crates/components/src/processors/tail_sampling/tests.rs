use std::time::Duration;

use spanmill_config::ComponentId;
use spanmill_otlp::Traces as Request;
use spanmill_pipeline::Telemetry;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

use super::*;

/// Takes requests, or refuses them for good.
struct Next {
    taken: mpsc::UnboundedSender<(Instant, Request)>,
    refuse: bool,
}

#[async_trait]
impl Consumer for Next {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let Batch::Traces(traces) = batch else { panic!("not traces") };
        if self.refuse {
            return Err(ConsumeError::permanent("never"));
        }
        self.taken.send((Instant::now(), traces)).unwrap();
        Ok(())
    }
}

struct Rig {
    processor: Arc<dyn Node>,
    taken: UnboundedReceiver<(Instant, Request)>,
    telemetry: Telemetry,
    began: Instant,
}

impl Rig {
    async fn new(yaml: &str) -> Self {
        Self::with(yaml, false).await
    }

    async fn with(yaml: &str, refuse: bool) -> Self {
        let (sender, taken) = mpsc::unbounded_channel();
        let (processor, telemetry) = create_with(yaml, Arc::new(Next { taken: sender, refuse })).unwrap();
        processor.start(&Host::new(Default::default(), mpsc::unbounded_channel().0)).await.unwrap();
        Self { processor, taken, telemetry, began: Instant::now() }
    }

    /// Sends a span of each of these traces, and gives the worker time to take them.
    async fn send(&self, traces: &[u8]) {
        self.send_request(request(traces, &[1; 8], "name")).await;
    }

    async fn send_request(&self, request: Request) {
        self.processor.consume(request.into()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    }

    /// The numbers of the traces that came next, and after how many whole seconds.
    async fn next(&mut self) -> (Vec<u8>, u64) {
        let (at, traces) = self.taken.recv().await.unwrap();
        (numbers(&traces), (at - self.began).as_secs())
    }

    fn nothing_came(&mut self) -> bool {
        self.taken.try_recv().is_err()
    }

    fn dropped(&self, reason: &str) -> u64 {
        let labels = [("processor", "tail_sampling/t"), ("reason", reason)];
        self.telemetry.counter("spanmill_processor_tail_sampling_dropped_spans", "", &labels).get()
    }

    fn counted(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.telemetry.counter(&format!("otelcol_processor_tail_sampling_{name}"), "", labels).get()
    }

    fn on_memory(&self) -> i64 {
        self.telemetry.gauge("otelcol_processor_tail_sampling_sampling_traces_on_memory", "", &[]).get()
    }
}

fn create_with(yaml: &str, next: Arc<dyn Consumer>) -> Result<(Arc<dyn Node>, Telemetry), ConfigError> {
    let (id, telemetry) = (ComponentId::new("tail_sampling", "t").unwrap(), Telemetry::default());
    let section = Section::from_yaml("processors::tail_sampling", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    Ok(((FACTORY.create)(context, Signal::Traces, next)?, telemetry))
}

/// A span a trace, with that parent and name.
fn request(traces: &[u8], parent: &[u8], name: &str) -> Request {
    let spans: Vec<Vec<u8>> = traces
        .iter()
        .map(|trace| {
            message(&[(1, &[[*trace; 8], [0; 8]].concat()), (2, &[*trace; 8]), (4, parent), (5, name.as_bytes())])
        })
        .collect();
    let fields: Vec<(u32, &[u8])> = spans.iter().map(|span| (2, span.as_slice())).chain([(3, &b"url"[..])]).collect();
    let resource = message(&[(1, b"\x0a\x00"), (2, &message(&fields))]);
    Request::parse(message(&[(1, &resource)]).into()).unwrap()
}

fn message(fields: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, body) in fields {
        spanmill_otlp::put_field(&mut out, *number, spanmill_otlp::Payload::Bytes(body));
    }
    out
}

fn numbers(traces: &Request) -> Vec<u8> {
    let mut numbers: Vec<u8> = traces.spans().map(|span| span.trace_id()[0]).collect();
    numbers.sort_unstable();
    numbers
}

const ALL: &str = "policies: [{name: all, type: always_sample}]";
const NAMED: &str = r#"policies: [{name: named, type: ottl_condition, ottl_condition: {span: ['name == "wanted"']}}]"#;

/// Scenario: spans of two traces come in over several requests.
/// Guarantees: both leave complete, in one request, after the wait, with their schema URLs.
#[tokio::test(start_paused = true)]
async fn traces_are_put_together() {
    let mut rig = Rig::new(&format!("{{decision_wait: 3s, {ALL}}}")).await;
    rig.send(&[1, 2]).await;
    sleep(Duration::from_secs(1)).await;
    rig.send(&[2, 1, 1]).await;
    let (at, traces) = rig.taken.recv().await.unwrap();
    assert_eq!((numbers(&traces), (at - rig.began).as_secs()), (vec![1, 1, 1, 2, 2], 4));
    assert!(traces.scopes().all(|scope| scope.schema_url() == b"url"));
    assert_eq!(rig.counted("global_count_traces_sampled", &[("decision", "sampled"), ("sampled", "true")]), 2);
    let labels = [("decision", "sampled"), ("policy", "t.all"), ("sampled", "true")];
    assert_eq!(rig.counted("count_traces_sampled", &labels), 2);
    assert_eq!(rig.counted("sampling_policy_execution_count", &[("policy", "t.all")]), 2);
    assert_eq!((rig.counted("new_trace_id_received", &[]), rig.on_memory()), (2, 2));
}

/// Scenario: a root span comes in, and one without a root.
/// Guarantees: the trace with a root is decided on earlier, the other after the whole wait.
#[tokio::test(start_paused = true)]
async fn roots_hasten() {
    let yaml = format!("{{decision_wait: 20s, decision_wait_after_root_received: 2s, {ALL}}}");
    let mut rig = Rig::new(&yaml).await;
    rig.send(&[1]).await;
    rig.send_request(request(&[2], &[], "root")).await;
    assert_eq!(rig.next().await, (vec![2], 3));
    assert_eq!(rig.next().await, (vec![1], 21));
}

/// Scenario: spans come after their trace was decided on, without caches, and with caches when the trace is long gone.
/// Guarantees: those of sampled traces are sent on at once; the others are dropped and counted.
#[tokio::test(start_paused = true)]
async fn late_spans_share_the_decision() {
    for caches in ["", "decision_cache: {sampled_cache_size: 9, non_sampled_cache_size: 9}, num_traces: 1, "] {
        let mut rig = Rig::new(&format!("{{decision_wait: 1s, {caches}{NAMED}}}")).await;
        rig.send_request(request(&[1], &[1; 8], "wanted")).await;
        assert_eq!(rig.next().await.0, [1]);
        rig.send(&[2]).await;
        sleep(Duration::from_secs(3)).await;
        assert_eq!(rig.dropped("not_sampled"), 1);
        rig.send(&[1, 2, 2]).await;
        assert_eq!(rig.next().await.0, [1]);
        assert_eq!(rig.dropped("late"), 2);
        if !caches.is_empty() {
            assert_eq!(rig.on_memory(), 0);
            assert_eq!(rig.counted("early_releases_from_cache_decision", &[("sampled", "false")]), 2);
        }
    }
}

/// Scenario: more traces come in than there is room for, by number and by bytes.
/// Guarantees: the oldest that waits is dropped and counted; decided ones are forgotten first.
#[tokio::test(start_paused = true)]
async fn overflow_drops_the_oldest() {
    let mut rig = Rig::new(&format!("{{decision_wait: 2s, num_traces: 2, {ALL}}}")).await;
    rig.send(&[1, 1, 2, 3]).await;
    assert_eq!((rig.dropped("overflow"), rig.counted("sampling_trace_dropped_too_early", &[])), (2, 1));
    assert_eq!(rig.next().await.0, [2, 3]);
    rig.send(&[4, 5]).await;
    assert_eq!(rig.next().await.0, [4, 5]);
    assert_eq!(rig.dropped("overflow"), 2);
    assert_eq!(rig.on_memory(), 2);

    let mut rig = Rig::new(&format!("{{decision_wait: 2s, memory_limit: 600B, {ALL}}}")).await;
    rig.send(&[1, 2, 3]).await;
    assert_eq!(rig.dropped("overflow"), 1);
    assert_eq!(rig.next().await.0, [2, 3]);
}

/// Scenario: more traces come in than there is room for, and nothing shall be dropped.
/// Guarantees: the worker waits until others are decided on, also when the processor stops meanwhile; nothing is lost.
#[tokio::test(start_paused = true)]
async fn overflow_can_block() {
    let mut rig = Rig::new(&format!("{{decision_wait: 2s, num_traces: 2, block_on_overflow: true, {ALL}}}")).await;
    rig.send(&[1, 2, 3, 4, 5]).await;
    assert_eq!(rig.next().await.0, [1, 2]);
    assert_eq!(rig.next().await.0, [3, 4]);
    rig.processor.shutdown().await.unwrap();
    assert_eq!(rig.next().await.0, [5]);
    assert_eq!((rig.dropped("overflow"), rig.on_memory()), (0, 0));
}

/// Scenario: a trace becomes too large, and more of it comes in.
/// Guarantees: it is dropped at once, and so is the rest; others are not.
#[tokio::test(start_paused = true)]
async fn large_traces_are_dropped() {
    let mut rig = Rig::new(&format!("{{decision_wait: 1s, maximum_trace_size_bytes: 120, {ALL}}}")).await;
    rig.send(&[1, 1, 1, 2]).await;
    assert_eq!((rig.dropped("too_large"), rig.counted("traces_dropped_too_large", &[])), (3, 1));
    rig.send(&[1]).await;
    assert_eq!(rig.dropped("late"), 1);
    assert_eq!(rig.next().await.0, [2]);
}

/// Scenario: the processor stops while traces wait: as configured, and told to drop them.
/// Guarantees: they are decided on as they are, or dropped and counted.
#[tokio::test(start_paused = true)]
async fn shutdown() {
    for (option, dropped) in [("", 0), ("drop_pending_traces_on_shutdown: true, ", 3)] {
        let mut rig = Rig::new(&format!("{{decision_wait: 1h, {option}{ALL}}}")).await;
        rig.send(&[1, 2, 2]).await;
        rig.processor.shutdown().await.unwrap();
        assert_eq!(rig.dropped("shutdown"), dropped);
        assert_eq!(rig.nothing_came(), dropped > 0);
        assert_eq!(rig.on_memory(), 0);
        assert!(rig.processor.consume(request(&[1], &[], "late").into()).await.unwrap_err().retryable);
    }
}

/// Scenario: sampled spans that the next component refuses for good.
/// Guarantees: they are counted as lost.
#[tokio::test(start_paused = true)]
async fn refusals_are_counted() {
    let rig = Rig::with(&format!("{{decision_wait: 1s, {ALL}}}"), true).await;
    rig.send(&[1, 2]).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(rig.dropped("refused"), 2);
}

/// Scenario: spans are decided on as they come in.
/// Guarantees: a wanted span takes along what waited and what follows; what nobody wanted is dropped after the wait.
#[tokio::test(start_paused = true)]
async fn span_ingest() {
    let mut rig = Rig::new(&format!("{{decision_wait: 5s, sampling_strategy: span-ingest, {NAMED}}}")).await;
    rig.send(&[1, 2]).await;
    rig.send_request(request(&[1], &[1; 8], "wanted")).await;
    assert_eq!(rig.next().await, (vec![1, 1], 0));
    rig.send(&[1]).await;
    assert_eq!(rig.next().await, (vec![1], 0));
    sleep(Duration::from_secs(7)).await;
    assert_eq!((rig.dropped("not_sampled"), rig.on_memory()), (1, 1));
}

/// Scenario: many traces and several tasks.
/// Guarantees: all of a trace goes to the same task, and all tasks have work.
#[tokio::test(start_paused = true)]
async fn shards() {
    let yaml =
        "{decision_wait: 1s, num_shards: 4, policies: [{name: two, type: span_count, span_count: {min_spans: 2}}]}";
    let mut rig = Rig::new(yaml).await;
    let all: Vec<u8> = (1..=100).collect();
    rig.send(&all).await;
    rig.send(&all).await;
    let mut came = Vec::new();
    for _ in 0..4 {
        came.extend(rig.next().await.0);
    }
    came.sort_unstable();
    assert_eq!(came, all.iter().flat_map(|number| [*number; 2]).collect::<Vec<_>>());
}

/// Scenario: policies with mistakes.
/// Guarantees: the processor is made, as in the Collector, but does not start, and says where the mistake is.
#[tokio::test]
async fn policies_are_checked_at_start() {
    let refused = async |yaml: &str| {
        let next = Arc::new(Next { taken: mpsc::unbounded_channel().0, refuse: false });
        let (processor, _) = create_with(yaml, next).unwrap();
        let host = Host::new(Default::default(), mpsc::unbounded_channel().0);
        processor.start(&host).await.unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("{policies: [{name: a, type: nope}]}").await, @r#"processors::tail_sampling:1: processors::tail_sampling::policies[0]::type: unknown sampling policy type "nope""#);
    insta::assert_snapshot!(refused("{policies: [{type: always_sample}]}").await, @"processors::tail_sampling:1: processors::tail_sampling::policies[0]: a policy must have a name");
    insta::assert_snapshot!(refused("{policies: [{name: a, type: and, and: {and_sub_policy: [{name: b, type: status_code, status_code: {status_codes: [BAD]}}]}}]}").await, @r#"processors::tail_sampling:1: processors::tail_sampling::policies[0]::and::and_sub_policy[0]::status_code::status_codes: unknown status code "BAD", valid are OK, ERROR and UNSET"#);
    insta::assert_snapshot!(refused("{policies: [{name: a, type: ottl_condition, ottl_condition: {span: [nam == 1]}}]}").await, @r#"processors::tail_sampling:1: processors::tail_sampling::policies[0]::ottl_condition::span[0]: cannot parse OTTL "nam == 1" at 1:1: invalid path "nam": span has no "nam", did you mean "name"?"#);
    insta::assert_snapshot!(refused("{sampling_strategy: span-ingest, policies: [{name: a, type: rate_limiting}]}").await, @r#"processors::tail_sampling:1: processors::tail_sampling::sampling_strategy: span-ingest needs policies without state, and "a" has one"#);
    insta::assert_snapshot!(refused("{policies: [{name: a, type: numeric_attribute, numeric_attribute: {key: a}}]}").await, @"processors::tail_sampling:1: processors::tail_sampling::policies[0]::numeric_attribute: min_value or max_value must be set, and not to 0");
}

/// Scenario: options with mistakes.
/// Guarantees: the processor is not made, and the option is named.
#[test]
fn options_are_checked_at_once() {
    let refused = |yaml| {
        let next = Arc::new(Next { taken: mpsc::unbounded_channel().0, refuse: false });
        create_with(yaml, next).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
    };
    insta::assert_snapshot!(refused("{sampling_strategy: often}"), @r#"processors::tail_sampling:1: processors::tail_sampling::sampling_strategy: unknown strategy "often", valid are trace-complete and span-ingest"#);
    insta::assert_snapshot!(refused("{num_shards: 1000}"), @"processors::tail_sampling:1: processors::tail_sampling::num_shards: must not exceed 256");
    insta::assert_snapshot!(refused("{policies: [{name: a, type: latency, threshold_ms: 5}]}"), @"processors::tail_sampling:1: processors::tail_sampling::policies[0]::threshold_ms: unknown key");
}
