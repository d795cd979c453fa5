use std::time::Duration;

use bytes::Bytes;
use spanmill_otlp::{Opaque, Signal, Traces};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::batch::Batch;
use crate::factory::Outputs;
use crate::testing::{FACTORIES, World};

const LIMIT: Duration = Duration::from_secs(5);

fn build(world: &World, yaml: &str) -> Result<Graph, ConfigError> {
    Graph::build(&world.document(yaml)?, &FACTORIES, &Telemetry::default())
}

fn refusal(world: &World, yaml: &str) -> String {
    build(world, yaml).unwrap_err().to_string()
}

async fn start(graph: &Graph) -> Result<mpsc::UnboundedReceiver<String>, StartError> {
    let (sender, receiver) = mpsc::unbounded_channel();
    graph.start(sender, LIMIT).await.map(|()| receiver)
}

/// A request of one span with an empty name.
fn span() -> Batch {
    Traces::parse(Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00")).unwrap().into()
}

fn pointer(batch: &Batch) -> *const u8 {
    batch.encode().as_ptr()
}

/// Two pipelines behind one receiver, a connector to a third, five exporters.
const WIRED: &str = "
receivers: {probe/@-in: }
processors: {probe/@-a: , probe/@-b: {edits: true}, probe/@-c: }
exporters: {probe/@-1: , probe/@-2: , probe/@-3: , probe/@-4: }
connectors: {join/@-x: }
extensions: {probe/@-e: , probe/@-f: }
service:
  extensions: [probe/@-f, probe/@-e]
  pipelines:
    traces/one: {receivers: [probe/@-in], processors: [probe/@-a], exporters: [probe/@-1, probe/@-2]}
    traces/two: {receivers: [probe/@-in], processors: [probe/@-b], exporters: [probe/@-2, join/@-x, probe/@-3]}
    traces/three: {receivers: [join/@-x], processors: [probe/@-c], exporters: [probe/@-4]}
    metrics: {receivers: [probe/@-in], exporters: [probe/@-1]}
";

/// Scenario: a request of one span enters the wired graph; then a request of metrics.
/// Guarantees: all exporters behind it get it once a way; those without edits share the received bytes, those behind the edit share the
/// bytes it was written to; metrics go their own way.
#[tokio::test]
async fn fan_out_shares_bytes() {
    let world = World::new("fan");
    let _graph = build(&world, WIRED).unwrap();
    let request = span();
    world.output("receiver in", Signal::Traces).consume(request.clone()).await.unwrap();

    let [first, second, third, fourth] = ["1", "2", "3", "4"].map(|name| world.taken(&format!("exporter {name}")));
    assert_eq!([first.len(), second.len(), third.len(), fourth.len()], [1, 2, 1, 1]);
    let received = pointer(&request);
    assert_eq!(pointer(&first[0]), received);
    assert_eq!(second.iter().filter(|batch| pointer(batch) == received).count(), 1);
    let edited = pointer(&third[0]);
    assert_ne!(edited, received);
    assert_eq!(pointer(&fourth[0]), edited);
    assert_eq!(second.iter().filter(|batch| pointer(batch) == edited).count(), 1);

    let metrics = Opaque::parse(Signal::Metrics, Bytes::new()).unwrap();
    world.output("receiver in", Signal::Metrics).consume(metrics.into()).await.unwrap();
    assert_eq!(world.taken("exporter 1").len(), 2);
    assert_eq!(world.taken("exporter 2").len(), 2);
}

/// Scenario: a connector asks for the pipelines behind it by name, for one that is not behind it, and one of another signal.
/// Guarantees: each named one gets what the consumer is given, the others do not; what is not behind it is told by name.
#[tokio::test]
async fn pipelines_by_name() {
    let world = World::new("named");
    let yaml = "
receivers: {probe/@-in: }
exporters: {probe/@-1: , probe/@-2: , probe/@-3: , probe/@-4: }
connectors: {join/@-x: }
service:
  pipelines:
    traces: {receivers: [probe/@-in], exporters: [join/@-x]}
    traces/a: {receivers: [join/@-x], exporters: [probe/@-1]}
    traces/b: {receivers: [join/@-x], exporters: [probe/@-2]}
    traces/c: {receivers: [join/@-x], exporters: [probe/@-3]}
    traces/d: {receivers: [probe/@-in], exporters: [probe/@-4]}
";
    let _graph = build(&world, yaml).unwrap();
    let outputs = world.outputs("connector x");
    let ids = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>();
    let two = outputs.to_pipelines(Signal::Traces, &ids(&["traces/a", "traces/c"])).unwrap();
    two.consume(span()).await.unwrap();
    let taken = ["1", "2", "3"].map(|name| world.taken(&format!("exporter {name}")).len());
    assert_eq!(taken, [1, 0, 1]);

    let error = outputs.to_pipelines(Signal::Traces, &ids(&["traces/a", "traces/d", "logs/a"])).err().unwrap();
    assert_eq!(error.to_string(), r#"pipeline not found: missing consumer: "traces/d"; missing consumer: "logs/a""#);
    assert!(outputs.to_pipelines(Signal::Logs, &ids(&["traces/a"])).is_err());
    // Where it is made for a check only, nobody knows what is behind it.
    assert!(Outputs::default().to_pipelines(Signal::Traces, &ids(&["traces/d"])).is_ok());
}

/// Scenario: the wired graph starts and stops.
/// Guarantees: extensions start first, in their order; everything starts after what it sends to; stopping goes the way of the data, exporters
/// after everything else in pipelines, extensions last; extensions know when pipelines run.
#[tokio::test]
async fn order_of_start_and_stop() {
    let world = World::new("order");
    let graph = build(&world, WIRED).unwrap();
    start(&graph).await.unwrap();
    let started = world.events();
    assert_eq!(
        started,
        [
            "start extension f",
            "start extension e",
            "start exporter 1",
            "start exporter 2",
            "start exporter 4",
            "start exporter 3",
            "start processor a",
            "start processor c",
            "start connector x",
            "start processor b",
            "start receiver in",
            "ready extension f",
            "ready extension e",
        ]
    );
    graph.shutdown(LIMIT).await.unwrap();
    let stopped = world.events();
    assert_eq!(
        stopped,
        [
            "not ready extension f",
            "not ready extension e",
            "stop receiver in",
            "stop processor b",
            "stop connector x",
            "stop processor c",
            "stop processor a",
            "stop exporter 1",
            "stop exporter 2",
            "stop exporter 4",
            "stop exporter 3",
            "stop extension f",
            "stop extension e",
        ]
    );
}

/// Scenario: a processor in the middle does not start.
/// Guarantees: the error names it; what had started is stopped; nothing behind it started.
#[tokio::test]
async fn failed_start() {
    let world = World::new("failing");
    let yaml = WIRED.replace("probe/@-c: ", "probe/@-c: {fails_to_start: true}");
    let error = start(&build(&world, &yaml).unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to start \"probe/failing-c\" processor: no luck");
    let events = world.events();
    assert!(
        events.contains(&"stop exporter 1".to_owned()) && events.contains(&"stop extension e".to_owned()),
        "{events:?}"
    );
    assert!(!events.contains(&"start receiver in".to_owned()), "{events:?}");
}

/// Scenario: one exporter never stops, another fails to.
/// Guarantees: stopping ends after the limit all the same, every other component was stopped, and both are named.
#[tokio::test(start_paused = true)]
async fn stopping_is_limited() {
    let world = World::new("stuck");
    let yaml = WIRED
        .replace("probe/@-1: ,", "probe/@-1: {never_stops: true},")
        .replace("probe/@-2: ,", "probe/@-2: {fails_to_stop: true},");
    let graph = build(&world, &yaml).unwrap();
    start(&graph).await.unwrap();
    world.events();
    let began = Instant::now();
    let error = graph.shutdown(LIMIT).await.unwrap_err();
    assert_eq!(began.elapsed(), LIMIT);
    assert_eq!(
        error.problems,
        ["\"probe/stuck-1\" exporter was not done in time", "failed to stop \"probe/stuck-2\" exporter: stuck"]
    );
    let events = world.events();
    assert_eq!(events.iter().filter(|event| event.starts_with("stop ")).count(), 11);
    assert_eq!(events.last().unwrap(), "stop extension e");
}

/// Scenario: one of two exporters refuses, for now and then for good.
/// Guarantees: the receiver hears of it, the other exporter has the batch, and what is permanent stays so.
#[tokio::test]
async fn errors_reach_the_receiver() {
    for (refuses, retryable) in [("now", true), ("ever", false)] {
        let world = World::new("refusing");
        let yaml = "
receivers: {probe/@-in: }
exporters: {probe/@-bad: {refuses: HOW}, probe/@-good: }
service: {pipelines: {traces: {receivers: [probe/@-in], exporters: [probe/@-bad, probe/@-good]}}}";
        let _graph = build(&world, &yaml.replace("HOW", refuses)).unwrap();
        let error = world.output("receiver in", Signal::Traces).consume(span()).await.unwrap_err();
        assert_eq!((error.retryable, &*error.message), (retryable, "exporter bad refuses"));
        assert_eq!(world.taken("exporter good").len(), 1);
    }
}

/// Scenario: three spans pass two processors.
/// Guarantees: what goes in and out of each is counted under the Collector's names and labels.
#[tokio::test]
async fn processors_are_counted() {
    let world = World::new("counted");
    let telemetry = Telemetry::default();
    let yaml = "
receivers: {probe/@-in: }
processors: {probe/@-a: , probe/@-b: {refuses: now}}
exporters: {probe/@-out: }
service: {pipelines: {traces: {receivers: [probe/@-in], processors: [probe/@-a, probe/@-b], exporters: [probe/@-out]}}}";
    let _graph = Graph::build(&world.document(yaml).unwrap(), &FACTORIES, &telemetry).unwrap();
    let output = world.output("receiver in", Signal::Traces);
    for _ in 0..3 {
        output.consume(span()).await.unwrap_err();
    }
    let count = |name: &str, processor: &str| {
        telemetry.counter(name, "", &[("otel_signal", "traces"), ("processor", processor)]).get()
    };
    let [incoming, outgoing] = ["otelcol_processor_incoming_items", "otelcol_processor_outgoing_items"];
    let counts = ["probe/counted-a", "probe/counted-b"].map(|id| (count(incoming, id), count(outgoing, id)));
    assert_eq!(counts, [(3, 3), (3, 0)]);
}

/// Scenario: two exporters, and a processor of two pipelines, claim the same; then each something of its own.
/// Guarantees: that is refused where the later one stands, with both names.
#[test]
fn claims_collide() {
    let world = World::new("claims");
    let yaml = "
receivers: {probe/@-in: }
processors: {probe/@-a: P}
exporters: {probe/@-1: {claims: the folder x}, probe/@-2: {claims: the folder Y}}
service:
  pipelines:
    traces/one: {receivers: [probe/@-in], processors: [probe/@-a], exporters: [probe/@-1, probe/@-2]}
    traces/two: {receivers: [probe/@-in], processors: [probe/@-a], exporters: [probe/@-1]}
";
    build(&world, &yaml.replace(": P", ": ").replace('Y', "y")).unwrap();
    let error = refusal(&world, &yaml.replace(": P", ": ").replace('Y', "x"));
    let expected = "exporters::probe/claims-2: \"probe/claims-1\" exporter and \"probe/claims-2\" exporter would both have the folder x: \
                    rename one of them";
    assert!(error.contains(expected), "{error}");
    let error = refusal(&world, &yaml.replace(": P", ": {claims: z}").replace('Y', "y"));
    assert!(error.contains("would both have z: it stands in several pipelines"), "{error}");
}

/// Scenario: a connector that no pipeline names.
/// Guarantees: it is made for the check with somewhere to send every signal to: that nobody receives from it is no mistake.
#[test]
fn unused_connectors_have_outputs() {
    let world = World::new("idle");
    let yaml = "
receivers: {probe/@-in: }
exporters: {probe/@-out: }
connectors: {join/@-x: }
service: {pipelines: {traces: {receivers: [probe/@-in], exporters: [probe/@-out]}}}";
    build(&world, yaml).unwrap();
    let outputs = world.outputs("connector x");
    assert!([Signal::Traces, Signal::Metrics, Signal::Logs].into_iter().all(|signal| outputs.get(signal).is_some()));
}

/// Scenario: components in pipelines of a signal that they do not support; a cycle; an unused component with a mistake; an alias.
/// Guarantees: each is refused in the Collector's words; the alias is accepted with a word of advice.
#[test]
fn refusals() {
    let world = World::new("wrong");
    let yaml = "
receivers: {spans/@-in: }
processors: {spans/@-mid: }
exporters: {spans/@-out: }
service: {pipelines: {logs: {receivers: [spans/@-in], processors: [spans/@-mid], exporters: [spans/@-out]}}}";
    let error = refusal(&world, yaml);
    for expected in ["receiver for data type \"logs\"", "exporter for data type \"logs\""] {
        assert!(error.contains(&format!("{expected}: telemetry type is not supported")), "{error}");
    }
    let error =
        refusal(&world, &yaml.replace("[spans/@-out]", "[probe/@-out]").replace("spans/@-out:", "probe/@-out:"));
    let expected =
        "failed to create \"spans/wrong-mid\" processor, in pipeline \"logs\": telemetry type is not supported";
    assert!(error.contains(expected), "{error}");

    let cycle = "
receivers: {probe/@-in: }
processors: {probe/@-a: }
exporters: {probe/@-out: }
connectors: {join/@-x: }
service:
  pipelines:
    traces: {receivers: [probe/@-in, join/@-x], processors: [probe/@-a], exporters: [join/@-x]}";
    let error = refusal(&world, cycle);
    assert!(error.contains("cycle detected: connector \"join/wrong-x\" (traces to traces)"), "{error}");

    let fine = "
receivers: {probe/@-in: }
exporters: {probe/@-out: , old_probe/@-renamed: }
service: {pipelines: {traces: {receivers: [probe/@-in], exporters: [old_probe/@-renamed]}}}";
    let graph = build(&world, fine).unwrap();
    let advice = "\"old_probe\" alias is deprecated; use \"probe\" instead (exporter \"old_probe/wrong-renamed\")";
    assert_eq!(graph.warnings(), [advice]);
    let error = refusal(&world, &fine.replace("probe/@-out: ,", "probe/@-out: {color: red},"));
    assert!(error.contains("exporters::probe/wrong-out") && error.contains("unknown key"), "{error}");
}
