use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use serde_json::{Value as Json, json};
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_otlp::{Signal, Traces};
use spanmill_pipeline::{Batch, ConsumeError, Consumer, Context, Node, Telemetry};
use tokio::sync::mpsc;

use super::FACTORY;

/// Hands on what it gets.
struct Sink(mpsc::UnboundedSender<Batch>);

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.0.send(batch).unwrap();
        Ok(())
    }
}

struct Setup {
    node: Arc<dyn Node>,
    sent: mpsc::UnboundedReceiver<Batch>,
    telemetry: Telemetry,
}

fn create(yaml: &str, signal: Signal) -> Result<Setup, ConfigError> {
    let (sender, sent) = mpsc::unbounded_channel();
    let (id, telemetry) = (ComponentId::new("filter", "").unwrap(), Telemetry::default());
    let section = Section::from_yaml("processors::filter", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let node = (FACTORY.create)(context, signal, Arc::new(Sink(sender)))?;
    Ok(Setup { node, sent, telemetry })
}

fn refusal(yaml: &str, signal: Signal) -> String {
    create(yaml, signal).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

/// What the Go Collector answered; see `crates/ottl/tests/oracle`.
fn recorded() -> Json {
    serde_json::from_str(include_str!("../../../../ottl/tests/oracle/recorded.json")).unwrap()
}

/// The request that the answers are for: eight spans, numbered from 1; the fifth has three events.
fn request() -> Traces {
    let recorded = recorded();
    let encoded = recorded["request"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    Traces::parse(bytes.into()).unwrap()
}

/// The spans of a batch by number, with the names of their events.
fn spans(traces: &Traces) -> BTreeMap<String, Vec<String>> {
    let name = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    traces
        .spans()
        .map(|span| (span.span_id()[7].to_string(), span.events().map(|event| name(event.name())).collect()))
        .collect()
}

/// What remains of the recorded request; nothing where nothing is sent on.
async fn remaining(yaml: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let mut setup = create(yaml, Signal::Traces).ok()?;
    setup.node.consume(Batch::Traces(request())).await.unwrap();
    let Ok(batch) = setup.sent.try_recv() else { return Some(BTreeMap::new()) };
    // What is written out counts, not what the views show.
    Some(spans(&Traces::parse(batch.encode()).unwrap()))
}

async fn numbers(yaml: &str) -> Vec<u8> {
    remaining(yaml).await.unwrap().keys().map(|number| number.parse().unwrap()).collect()
}

/// Scenario: conditions with inferred and with given contexts, also such that must be refused.
/// Guarantees: the verdict, the spans that remain and the events that remain in them are the Go Collector's.
#[tokio::test]
async fn contexts_are_chosen_as_in_go() {
    let recorded = recorded();
    let mut failures = Vec::new();
    for row in recorded["contexts"].as_array().unwrap() {
        let item = match row[0].as_str() {
            Some(context) => json!({"context": context, "conditions": [row[1]]}),
            None => row[1].clone(),
        };
        let ours = remaining(&json!({"trace_conditions": [item]}).to_string()).await;
        let theirs = (!row[2].is_null()).then(|| row[2].clone());
        if ours.as_ref().map(|spans| json!(spans)) != theirs {
            failures.push(format!("{} {}: go {theirs:?}, ours {ours:?}", row[0], row[1]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Scenario: the older form with conditions in every context.
/// Guarantees: what meets any of them is dropped, in the order resource, span, event.
#[tokio::test]
async fn older_form() {
    let yaml = r#"{traces: {resource: ['attributes["service.name"] == "worker"'], span: ['kind == 3', 'kind == 1'], spanevent: ['name == "log"']}}"#;
    let left = remaining(yaml).await.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), ["4", "5"]);
    assert_eq!(left["5"], ["exception", "gen_ai.choice"]);
}

/// Scenario: two groups; the second asks how many events a span has, of which the first removes some.
/// Guarantees: a group works on what the previous one left.
#[tokio::test]
async fn groups_follow_one_another() {
    let yaml = r#"{trace_conditions: [{context: spanevent, conditions: ['name == "log"']}, {context: span, conditions: ['Len(events) == 2']}]}"#;
    assert_eq!(numbers(yaml).await, [1, 2, 3, 4, 6, 7, 8]);
}

/// Scenario: a condition that meets all events of a span.
/// Guarantees: the events go, the span stays.
#[tokio::test]
async fn span_without_events_stays() {
    let left = remaining("{traces: {spanevent: ['true']}}").await.unwrap();
    assert_eq!(left.len(), 8);
    assert!(left["5"].is_empty());
}

/// Scenario: spans by properties, the oldest form: included, excluded, both, and beside conditions.
/// Guarantees: what is not included or is excluded goes; conditions take the place of properties.
#[tokio::test]
async fn by_properties() {
    let all = remaining("{}").await.unwrap().len();
    let left = async |yaml: &str| remaining(yaml).await.map_or(0, |spans| spans.len());
    let workers = left(r#"{trace_conditions: ['resource.attributes["service.name"] != "worker"']}"#).await;
    assert!(workers > 0 && workers < all);
    let worker = "{match_type: strict, services: [worker]}";
    assert_eq!(left(&format!("{{spans: {{include: {worker}}}}}")).await, workers);
    assert_eq!(left(&format!("{{spans: {{exclude: {worker}}}}}")).await, all - workers);
    let both = format!("{{spans: {{include: {{match_type: regexp, span_names: ['.*']}}, exclude: {worker}}}}}");
    assert_eq!(left(&both).await, all - workers);
    assert_eq!(left(&format!("{{spans: {{include: {worker}}}, trace_conditions: ['span.name == nil']}}")).await, all);
}

/// Scenario: a condition that everything meets.
/// Guarantees: the request is answered with success, nothing is sent on, and the spans are counted.
#[tokio::test]
async fn empty_batch_is_acknowledged_and_not_sent() {
    let mut setup = create("{traces: {span: ['true']}}", Signal::Traces).unwrap();
    setup.node.consume(Batch::Traces(request())).await.unwrap();
    assert!(setup.sent.try_recv().is_err());
    let filtered = setup.telemetry.counter("otelcol_processor_filter_spans_filtered", "", &[("filter", "filter")]);
    assert_eq!(filtered.get(), 8);
}

/// Scenario: nothing meets the condition.
/// Guarantees: the very bytes that came in are passed on.
#[tokio::test]
async fn untouched_bytes_are_passed_on() {
    let mut setup = create("{traces: {span: ['false']}}", Signal::Traces).unwrap();
    let traces = request();
    let before = traces.encode();
    setup.node.consume(Batch::Traces(traces)).await.unwrap();
    let Batch::Traces(after) = setup.sent.recv().await.unwrap() else { panic!("not traces") };
    assert!(!after.is_edited());
    assert_eq!(after.encode(), before);
}

/// Scenario: a condition that fails for most spans, before one that does not, in every error mode.
/// Guarantees: ignoring and silent evaluation go on; propagation refuses the request for good and names the condition.
#[tokio::test]
async fn error_modes() {
    let conditions = r#"['HasPrefix(attributes["s"], "Hello")', 'kind == 3']"#;
    for mode in ["ignore", "silent", "IGNORE"] {
        assert_eq!(numbers(&format!("{{error_mode: {mode}, traces: {{span: {conditions}}}}}")).await, [4, 5, 6, 7]);
    }
    let yaml = format!("{{error_mode: propagate, traces: {{span: {conditions}}}}}");
    let mut setup = create(&yaml, Signal::Traces).unwrap();
    let error = setup.node.consume(Batch::Traces(request())).await.unwrap_err();
    assert!(!error.retryable);
    let text = r#"failed to evaluate condition "HasPrefix(attributes[\"s\"], \"Hello\")": expected string but got nil"#;
    assert_eq!(&*error.message, text);
    assert!(setup.sent.try_recv().is_err());
    // A group has a mode of its own.
    let group = format!(
        "{{error_mode: propagate, trace_conditions: [{{context: span, error_mode: silent, conditions: {conditions}}}]}}"
    );
    assert_eq!(numbers(&group).await, [4, 5, 6, 7]);
}

/// Scenario: configurations with mistakes.
/// Guarantees: the message names the place, the text, the position in it and the nearest name that there is.
#[test]
fn mistakes_are_named() {
    let refused = |yaml| refusal(yaml, Signal::Traces);
    insta::assert_snapshot!(refused("{traces: {span: ['true', 'ismatch(name, \"a\")']}}"), @r#"processors::filter:1: processors::filter::traces::span[1]: cannot parse OTTL "ismatch(name, \"a\")" at 1:1: converter names must start with an upper-case letter, but got "ismatch", did you mean "IsMatch"?"#);
    insta::assert_snapshot!(refused("{trace_conditions: ['span.nam == \"x\"', 'spam.name == \"x\"', 'IsMatc(span.name, \"x\")']}"), @r#"
    processors::filter:1: processors::filter::trace_conditions[0]: cannot parse OTTL "span.nam == \"x\"" at 1:1: invalid path "span.nam": span has no "nam", did you mean "name"?
    processors::filter:1: processors::filter::trace_conditions[1]: cannot parse OTTL "spam.name == \"x\"" at 1:1: "spam" is no context to evaluate a condition or a statement in, did you mean "span"?
    processors::filter:1: processors::filter::trace_conditions[2]: cannot parse OTTL "IsMatc(span.name, \"x\")" at 1:1: undefined function "IsMatc", did you mean "IsMatch"?
    "#);
    insta::assert_snapshot!(refused("{trace_conditions: ['span.kind == 1'], traces: {span: ['kind == 1']}}"), @"processors::filter:1: processors::filter::trace_conditions: cannot be used together with traces: the latter is the older form of it");
    insta::assert_snapshot!(refused("{trace_conditions: ['span.kind == 1', {context: span, conditions: ['kind == 1']}]}"), @"processors::filter:1: processors::filter::trace_conditions: conditions and groups of conditions cannot stand in one list");
    insta::assert_snapshot!(refused("{trace_conditions: [{context: spam, conditions: ['kind == 1']}]}"), @r#"processors::filter:1: processors::filter::trace_conditions[0]::context: unknown context "spam", valid are resource, scope, span, spanevent, log, metric and datapoint"#);
    insta::assert_snapshot!(refused("{error_mode: loud}"), @r#"processors::filter:1: processors::filter::error_mode: unknown error mode "loud", valid are ignore, propagate and silent"#);
    insta::assert_snapshot!(refused("{trace_condition: []}"), @r#"processors::filter:1: processors::filter: unknown key "trace_condition", did you mean "trace_conditions"? (valid keys: error_mode, log_conditions, logs, metric_conditions, metrics, profile_conditions, profiles, spans, trace_conditions, traces)"#);
    let both = "{spans: {include: {match_type: strict, services: [a]}}, traces: {span: ['true']}}";
    insta::assert_snapshot!(refused(both), @r#"processors::filter:1: processors::filter::spans: cannot use "traces.resource", "traces.span", "traces.spanevent" and the span settings "spans.include", "spans.exclude" at the same time"#);
    insta::assert_snapshot!(refused("{trace_conditions: 'span.kind == 1'}"), @r#"processors::filter:1: processors::filter::trace_conditions: expected a list, found a string"#);
}

/// Scenario: conditions for other signals than that of the pipeline, right and wrong ones.
/// Guarantees: right ones are read past; wrong ones are refused in every pipeline.
#[test]
fn other_signals() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        assert_eq!(refusal("{log_conditions: ['log.body == nil'], traces: {span: ['true']}}", signal), "accepted");
        assert!(refusal("{log_conditions: ['log.bod == nil']}", signal).contains("did you mean \"body\"?"));
        assert!(refusal("{metrics: {datapoint: ['name == \"x\"']}}", signal).contains("metrics::datapoint[0]"));
    }
    let expressions = "{metrics: {include: {match_type: expr, expressions: ['MetricName == \"x\"']}}}";
    assert!(refusal(expressions, Signal::Metrics).contains("metric_conditions"));
    let both = "{logs: {log_record: ['true'], include: {match_type: strict, bodies: [x]}}}";
    assert!(refusal(both, Signal::Logs).contains("at the same time"));
}

/// What is left of log records with these severities and bodies, in one scope; nothing where nothing is sent on.
async fn left_of_logs(yaml: &str) -> Option<(Vec<String>, u64)> {
    let record = |(severity, body): (i32, &str)| json!({"severityNumber": severity, "body": {"stringValue": body}});
    let records: Vec<_> = [(9, "a"), (13, "b"), (17, "c")].map(record).into();
    let request = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}, {"scopeLogs": []}]});
    let mut setup = create(yaml, Signal::Logs).unwrap();
    let opaque = crate::processors::testing::opaque(Signal::Logs, &request);
    setup.node.consume(Batch::Opaque(opaque)).await.unwrap();
    let Ok(Batch::Opaque(sent)) = setup.sent.try_recv() else { return None };
    let mut text = Vec::new();
    spanmill_otlp::json::from_protobuf(Signal::Logs, sent.bytes(), &mut text).unwrap();
    let sent: Json = serde_json::from_slice(&text).unwrap();
    assert_eq!(sent["resourceLogs"].as_array().map(Vec::len), Some(1), "what is empty goes");
    let records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().cloned().unwrap_or_default();
    let bodies = records.iter().map(|record| record["body"]["stringValue"].as_str().unwrap_or_default().to_owned());
    let filtered = setup.telemetry.counter("otelcol_processor_filter_logs_filtered", "", &[("filter", "filter")]);
    Some((bodies.collect(), filtered.get()))
}

/// Scenario: log records by condition in each form, by properties, and all of them.
/// Guarantees: those that meet a condition go and are counted; of nothing nothing is sent.
#[tokio::test]
async fn log_records() {
    for yaml in [
        "{log_conditions: ['log.severity_number >= SEVERITY_NUMBER_WARN']}",
        "{log_conditions: [{context: log, conditions: ['severity_number == 13', 'body == \"c\"']}]}",
        "{logs: {log_record: ['severity_number > 9']}}",
        "{logs: {include: {match_type: strict, bodies: [a]}}}",
        "{logs: {exclude: {match_type: regexp, severity_number: {min: warn}}}}",
    ] {
        assert_eq!(left_of_logs(yaml).await, Some((vec!["a".to_owned()], 2)), "{yaml}");
    }
    assert_eq!(left_of_logs("{log_conditions: ['log.severity_number > 0']}").await, None);
}
