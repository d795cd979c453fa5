use serde_json::json;
use spanmill_config::ConfigError;
use spanmill_otlp::{Signal, Traces};
use spanmill_pipeline::{Batch, Code, ConsumeError};

use super::FACTORY;
use crate::processors::testing::{self, Trial, attributes, spans};

fn create(yaml: &str) -> Result<Trial, ConfigError> {
    Trial::new(&FACTORY, yaml, Signal::Traces)
}

fn refusal(yaml: &str, signal: Signal) -> String {
    testing::refusal(&FACTORY, yaml, signal)
}

/// Spans of those names, with an attribute `text` each.
fn request(names: &[&str]) -> Traces {
    let span = |(at, name): (usize, &&str)| {
        json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": format!("b7ad6b716920{at:04x}"), "name": name,
               "attributes": attributes(&json!({"text": "some text"}))})
    };
    let spans: Vec<_> = names.iter().enumerate().map(span).collect();
    testing::traces(&testing::request(&json!({}), &spans))
}

async fn run(trial: &Trial, traces: Traces) -> Result<(), ConsumeError> {
    trial.node.consume(Batch::Traces(traces)).await
}

/// The names of the spans that came out last, and an attribute of each.
fn came_out(trial: &Trial, key: &str) -> Vec<(String, Option<String>)> {
    let sent = trial.sent();
    let text = |span: &serde_json::Value| {
        let value = testing::object(span)[key].as_str().map(str::to_owned);
        (span["name"].as_str().unwrap_or_default().to_owned(), value)
    };
    spans(sent.last().unwrap()).into_iter().map(text).collect()
}

/// Scenario: a statement fails for every span, in each error mode.
/// Guarantees: `ignore` and `silent` go on with the next statement; `propagate` refuses the request for good, and nothing is passed on.
#[tokio::test]
async fn errors_are_treated_as_told() {
    for mode in ["ignore", "silent", "propagate"] {
        let yaml = format!(
            r#"{{error_mode: {mode}, trace_statements: ['set(span.attributes["x"], ParseJSON(span.attributes["text"]))', 'set(span.attributes["after"], "yes")']}}"#
        );
        let setup = create(&yaml).unwrap();
        let outcome = run(&setup, request(&["a"])).await;
        if mode == "propagate" {
            let error = outcome.unwrap_err();
            assert_eq!((error.code, error.retryable), (Code::InvalidArgument, false));
            assert!(error.message.contains("ParseJSON"), "{error}");
            assert!(setup.sink.0.lock().unwrap().is_empty());
        } else {
            outcome.unwrap();
            assert_eq!(came_out(&setup, "after"), [("a".to_owned(), Some("yes".to_owned()))]);
        }
    }
}

/// Scenario: no statement applies to any span of a request.
/// Guarantees: the very bytes that came in are passed on.
#[tokio::test]
async fn what_is_not_changed_is_not_copied() {
    let yaml = r#"{trace_statements: ['set(span.attributes["x"], 1) where span.name == "other"', 'delete_key(span.attributes, "missing")']}"#;
    let setup = create(yaml).unwrap();
    let traces = request(&["a", "b"]);
    let before = traces.encode();
    run(&setup, traces).await.unwrap();
    let after = setup.sink.0.lock().unwrap()[0].encode();
    assert_eq!(before.as_ptr(), after.as_ptr());
}

/// Scenario: two groups share a cache, and two requests come in.
/// Guarantees: what a span notes is read by the spans after it, also by those of the next request.
#[tokio::test]
async fn a_shared_cache_outlives_requests() {
    let yaml = r#"{trace_statements: [{context: span, shared_cache: true, statements: ['set(attributes["last"], cache["name"])']},
                                      {context: span, shared_cache: true, statements: ['set(cache["name"], name)']}]}"#;
    let setup = create(yaml).unwrap();
    run(&setup, request(&["a", "b"])).await.unwrap();
    assert_eq!(came_out(&setup, "last"), [("a".to_owned(), None), ("b".to_owned(), None)]);
    run(&setup, request(&["c"])).await.unwrap();
    assert_eq!(came_out(&setup, "last"), [("c".to_owned(), Some("b".to_owned()))]);
}

/// Scenario: configurations with mistakes.
/// Guarantees: each is refused, with the place of the mistake, what is wrong and, where there is one, the nearest valid name.
#[test]
fn mistakes_are_told_with_their_place() {
    for (yaml, expected) in [
        (
            r#"{trace_statements: ['set(span.name, "x")', 'sett(span.name, "x")']}"#,
            &["trace_statements[1]", "undefined function \"sett\"", "did you mean \"set\"?"][..],
        ),
        (
            r#"{trace_statements: [{context: span, statements: ['set(name, "x")', 'set(nam, "x")']}]}"#,
            &["trace_statements[0]::statements[1]", "1:5", "did you mean \"name\"?"],
        ),
        (
            r#"{trace_statements: [{context: span, conditions: ['name =='], statements: []}]}"#,
            &["trace_statements[0]::conditions[0]", "1:8"],
        ),
        (r#"{trace_statements: ['set(name, "x")']}"#, &["trace_statements[0]", "every path must begin with one"]),
        (r#"{trace_statements: ['set(span.name, "x")', {context: span}]}"#, &["cannot stand in one list"]),
        (r#"{trace_statements: [{context: spam}]}"#, &["unknown context \"spam\""]),
        (r#"{metric_statements: ['set(metric.name']}"#, &["metric_statements[0]", "cannot parse OTTL"]),
        (
            r#"{metric_statements: [{context: datapoint, statements: ['convert_sum_to_gauge()']}]}"#,
            &["undefined function \"convert_sum_to_gauge\" in the context datapoint, metric has it"],
        ),
        (
            r#"{trace_statements: [{context: resource, statements: ['set(attributes["a"], IsRootSpan())']}]}"#,
            &["undefined function \"IsRootSpan\" in the context resource, span has it"],
        ),
        ("{flatten_data: true}", &["flatten_data"]),
        ("{trace_statements: }", &["trace_statements", "expected a list"]),
    ] {
        let told = refusal(yaml, Signal::Traces);
        for part in expected {
            assert!(told.contains(part), "{yaml}: {told}");
        }
    }
}

/// Scenario: the processor stands in pipelines of metrics and logs, with statements for several signals, and with mistakes in those of others.
/// Guarantees: each pipeline runs its own; a mistake is refused in all of them, and so is a context of another signal.
#[test]
fn other_signals() {
    let both = r#"{trace_statements: ['set(span.name, "x")'], metric_statements: ['set(metric.name, "y")']}"#;
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        assert_eq!(refusal(both, signal), "accepted");
        let wrong = refusal(r#"{log_statements: ['set(log.bod, "x")']}"#, signal);
        assert!(wrong.contains("log_statements[0]") && wrong.contains("did you mean \"body\"?"), "{wrong}");
        let wrong = refusal(r#"{metric_statements: [{context: log, statements: ['set(body, "x")']}]}"#, signal);
        assert!(wrong.contains("context log is not one that metrics have"), "{wrong}");
    }
    assert_eq!(refusal("{log_statements: []}", Signal::Logs), "accepted");
    let empty = refusal("{trace_statements: [{context: log, statements: []}]}", Signal::Traces);
    assert!(empty.contains("context log is not one that traces have"), "{empty}");
}

/// A request of log records with these bodies, in one scope.
fn logs(bodies: &[&str]) -> serde_json::Value {
    let record = |body: &&str| json!({"body": {"stringValue": body}, "attributes": attributes(&json!({"n": 1}))});
    let records: Vec<_> = bodies.iter().map(record).collect();
    json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "lib"}, "logRecords": records}]}]})
}

/// Scenario: statements on log records that read and set the body, a resource, a scope and the cache, over so much data that it takes several passes.
/// Guarantees: a record sees what was set for the ones before it; the cache is its own; everything is written.
#[tokio::test]
async fn log_records() {
    let yaml = r#"{log_statements: [{context: log, statements: [
        'set(cache["seen"], resource.attributes["count"])',
        'set(resource.attributes["count"], 0) where cache["seen"] == nil',
        'set(resource.attributes["count"], resource.attributes["count"] + 1)',
        'set(scope.version, body) where body == "last"',
        'set(attributes["long"], Concat([body, body], "")) where body != "last"']}]}"#;
    let long = "x".repeat(50_000);
    let mut bodies = vec![long.as_str(); 200];
    bodies.push("last");
    let out = Trial::run_opaque(&FACTORY, yaml, Signal::Logs, &logs(&bodies)).await;
    let group = &out["resourceLogs"][0];
    assert_eq!(testing::object(&group["resource"])["count"], json!(201));
    let scope = &group["scopeLogs"][0];
    assert_eq!(scope["scope"]["version"], "last");
    let records = scope["logRecords"].as_array().unwrap();
    assert_eq!(records.len(), 201);
    assert_eq!(testing::object(&records[199])["long"].as_str().map(str::len), Some(100_000));
}

/// Scenario: a statement that makes a new metric of every metric, also of those that it made.
/// Guarantees: the request is refused, and does not grow without end.
#[tokio::test]
async fn metrics_that_never_end() {
    let trial =
        Trial::new(&FACTORY, r#"{metric_statements: ['copy_metric() where metric.name != ""']}"#, Signal::Metrics);
    let request = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]});
    let error = trial.unwrap().node.consume(testing::opaque(Signal::Metrics, &request).into()).await.unwrap_err();
    assert!(!error.retryable && error.message.contains("too many metrics"), "{}", error.message);
}

/// Scenario: log records that cannot be decoded: one whose text is no UTF-8, and one whose number is cut off.
/// Guarantees: the text is mended; the other is refused for good.
#[tokio::test]
async fn what_cannot_be_decoded() {
    let trial =
        Trial::new(&FACTORY, r#"{log_statements: ['set(log.body, log.severity_text)']}"#, Signal::Logs).unwrap();
    let parse = |bytes| Batch::Opaque(spanmill_otlp::Opaque::parse(Signal::Logs, bytes).unwrap());
    let text = bytes::Bytes::from_static(b"\x0a\x07\x12\x05\x12\x03\x1a\x01\xff");
    trial.node.consume(parse(text)).await.unwrap();
    let sent = trial.sink.1.lock().unwrap().remove(0);
    assert!(sent.bytes().windows(5).any(|body| body == b"\x0a\x03\xef\xbf\xbd"));
    let cut = bytes::Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x10\xff");
    let error = trial.node.consume(parse(cut)).await.unwrap_err();
    assert!(!error.retryable);
    assert_eq!(error.code, Code::InvalidArgument);
}

/// Scenario: a flat list in which one statement is about events.
/// Guarantees: the statements that are not about events are known, so that a warning can name them.
#[test]
fn statements_that_go_astray_are_known() {
    let texts = [r#"set(span.name, "x")"#.to_owned(), r#"set(spanevent.name, "y")"#.to_owned()];
    let text = spanmill_ottl::SequenceText { context: None, statements: &texts, conditions: &[] };
    let sequence =
        spanmill_ottl::Sequence::parse(text, spanmill_ottl::ErrorMode::Ignore, spanmill_ottl::Compiler::new()).unwrap();
    let astray: Vec<&str> = sequence.astray().iter().map(|text| &**text).collect();
    assert_eq!(astray, [texts[0].as_str()]);
}
