use crate::{ConfigError, Document, Kind, KnownTypes, Signal, yaml};

const SAME: &[(Signal, Signal)] =
    &[(Signal::Traces, Signal::Traces), (Signal::Metrics, Signal::Metrics), (Signal::Logs, Signal::Logs)];

fn known() -> KnownTypes {
    KnownTypes::new()
        .with(Kind::Receiver, "otlp", &[])
        .with(Kind::Processor, "batch", &[])
        .with(Kind::Exporter, "otlp_grpc", &["otlp"])
        .with(Kind::Exporter, "debug", &[])
        .with(Kind::Extension, "health_check", &[])
        .with_connector("forward", &[], SAME)
        .with_connector("span_metrics", &["spanmetrics"], &[(Signal::Traces, Signal::Metrics)])
}

fn check(text: &str) -> Result<Document, ConfigError> {
    let document = Document::from_tree(yaml::parse(text, "c.yaml").unwrap())?;
    document.validate(&known())?;
    Ok(document)
}

fn error(text: &str) -> String {
    check(text).unwrap_err().to_string()
}

/// A configuration with receivers, exporters and connectors to wire.
fn wired(pipelines: &str) -> String {
    let components = "receivers: {otlp: }\nexporters: {debug: , otlp/jaeger: }\nprocessors: {batch: }\n\
                      connectors: {forward: , forward/b: , spanmetrics: }\n";
    format!("{components}service:\n  pipelines:\n{pipelines}")
}

/// Scenario: a configuration with an unused exporter, an extension, and two pipelines joined by a connector.
/// Guarantees: it is accepted, and everything is found where it was written.
#[test]
fn accepted() {
    let document = check(
        "receivers: {otlp: {protocols: {grpc: }}}\nprocessors: {batch/slow: {timeout: 5s}}\n\
         exporters: {otlp: {endpoint: 'x:1'}, debug: }\nconnectors: {forward: }\nextensions: {health_check: }\n\
         service:\n  extensions: [health_check]\n  telemetry: {logs: {level: debug}}\n  pipelines:\n\
         \x20   traces/in: {receivers: [otlp], processors: [batch/slow], exporters: [forward]}\n\
         \x20   traces: {receivers: [forward], exporters: [otlp]}\n",
    )
    .unwrap();
    let names: Vec<String> = document.service.pipelines.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["traces/in", "traces"]);
    let (id, section) = document.processors.first().unwrap();
    assert_eq!((id.type_name(), id.name()), ("batch", "slow"));
    assert_eq!(section.path(), "processors::batch/slow");
    assert_eq!(document.service.telemetry.path(), "service::telemetry");
    assert_eq!(document.components(Kind::Exporter).len(), 2);
    assert_eq!(known().find(Kind::Exporter, document.exporters.first().unwrap().0).unwrap().name, "otlp_grpc");
}

/// Scenario: configurations without anything, or without a part that every one needs.
/// Guarantees: the Collector's words.
#[test]
fn missing_parts() {
    insta::assert_snapshot!(error(""), @r#"empty configuration file"#);
    insta::assert_snapshot!(error("service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}"), @r#"c.yaml:1: empty configuration file"#);
    insta::assert_snapshot!(error("receivers: {otlp: }"), @r#"
c.yaml:1: no exporter configuration specified in config
c.yaml:1: service::pipelines: service must have at least one pipeline
"#);
    insta::assert_snapshot!(error("receivers: {otlp: }\nexporters: {debug: }"), @r#"c.yaml:1: service::pipelines: service must have at least one pipeline"#);
    insta::assert_snapshot!(error(&wired("    traces:\n    logs: {receivers: [otlp]}\n")), @r#"
c.yaml:7: service::pipelines::traces: must have at least one receiver
c.yaml:7: service::pipelines::traces: must have at least one exporter
c.yaml:8: service::pipelines::logs: must have at least one exporter
"#);
}

/// Scenario: keys and values that do not belong where they stand.
/// Guarantees: all of them are named with path and line.
#[test]
fn wrong_shapes() {
    insta::assert_snapshot!(error("receivers: [otlp]\nprocessor: {}\nexporters: {debug: 5}\nservice: {pipeline: {}}"), @r#"
c.yaml:1: receivers: expected a map
c.yaml:2: unknown key "processor", did you mean "processors"? (valid keys: receivers, processors, exporters, connectors, extensions, service)
c.yaml:3: exporters::debug: expected a map
c.yaml:4: service: unknown key "pipeline", did you mean "pipelines"? (valid keys: extensions, pipelines, telemetry)
"#);
    insta::assert_snapshot!(error("service:\n  pipelines:\n    traces:\n      receiver: [otlp]\n      exporters: debug"), @r#"c.yaml:4: service::pipelines::traces: unknown key "receiver", did you mean "receivers"? (valid keys: exporters, processors, receivers)"#);
    insta::assert_snapshot!(error("service:\n  pipelines:\n    spans: {}\n    traces: {receivers: [1]}\n  extensions: [a b]"), @r#"
c.yaml:3: service::pipelines: in "spans" id: unknown signal "spans" (valid signals: traces, metrics, logs)
c.yaml:4: service::pipelines::traces::receivers[0]: expected a string, found the number 1
c.yaml:5: service::extensions[0]: in "a b" id: invalid type "a b": a type begins with a letter and has letters, digits and underscores, 63 characters at most
"#);
}

/// Scenario: names that no component can have, and one name written in two ways.
/// Guarantees: each is refused with its line.
#[test]
fn bad_names() {
    insta::assert_snapshot!(error("receivers:\n  /x:\n  otlp/:\n  bad name:\n  otlp/a+b:\n  otlp/a:\n  otlp / a:\n  ot-lp:"), @r#"
c.yaml:2: receivers: in "/x" id: the part before / should not be empty
c.yaml:3: receivers: in "otlp/" id: the part after / should not be empty
c.yaml:4: receivers: in "bad name" id: invalid type "bad name": a type begins with a letter and has letters, digits and underscores, 63 characters at most
c.yaml:5: receivers: in "otlp/a+b" id: invalid name "a+b": a name has 1 to 1024 bytes, none of them a space, a control character or a symbol
c.yaml:7: receivers: duplicate name "otlp / a"
c.yaml:8: receivers: in "ot-lp" id: invalid type "ot-lp": a type begins with a letter and has letters, digits and underscores, 63 characters at most
"#);
}

/// Scenario: types that are not known, mistyped, of another kind, or withdrawn.
/// Guarantees: what is valid is listed, and the nearest is offered.
#[test]
fn unknown_types() {
    let text = "receivers: {otpl: , debug: }\nexporters: {logging: , nope/x: }\nprocessors: {batsh: }\nservice: {pipelines: {traces: {receivers: [otpl], exporters: [nope/x]}}}";
    insta::assert_snapshot!(error(text), @r#"
c.yaml:1: receivers::otpl: unknown type: "otpl" for id: "otpl", did you mean "otlp"? (valid values: otlp)
c.yaml:1: receivers::debug: unknown type: "debug" for id: "debug" (that is a type of exporters; valid values: otlp)
c.yaml:3: processors::batsh: unknown type: "batsh" for id: "batsh", did you mean "batch"? (valid values: batch)
c.yaml:2: exporters::logging: the logging exporter has been deprecated, use the debug exporter instead
c.yaml:2: exporters::nope/x: unknown type: "nope" for id: "nope/x" (valid values: debug, otlp_grpc)
"#);
}

/// Scenario: an unknown type whose section has a value that was put in and has the type's name in it; a value that is wrong is told of as well.
/// Guarantees: the name, which is a key, is shown; the value is not.
#[test]
fn names_are_no_secrets() {
    let providers = crate::Providers::with_environment(|_| Some("https://SEKRIT/opamp".to_owned()));
    let text = "extensions: {opamp/x: {endpoint: '${env:E}'}}\nreceivers: {otlp: }\nexporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}";
    let tree = crate::load(&[format!("yaml:{text}").parse().unwrap()], &[], &providers).unwrap().tree;
    let document = Document::from_tree(tree).unwrap();
    let error = document.validate(&known()).unwrap_err().to_string();
    assert!(error.contains(r#"unknown type: "opamp" for id: "opamp/x""#), "{error}");
    let error = document.error("extensions::opamp/x::endpoint", "\"https://SEKRIT/opamp\" and \"opamp\"").to_string();
    assert!(error.contains("[REDACTED]") && !error.contains("SEKRIT") && !error.contains("\"opamp\""), "{error}");
}

/// Scenario: references to what is not configured, a processor named twice, ids that are ambiguous.
/// Guarantees: each is named with the line of the reference.
#[test]
fn references() {
    let text = wired(
        "    traces:\n      receivers: [otlp, otlpp]\n      processors:\n        - batch\n        - filter\n        - batch\n      exporters: [otlp/jager]\n",
    );
    insta::assert_snapshot!(error(&(text + "  extensions: [zpages]\n")), @r#"
c.yaml:14: service::extensions: references extension "zpages" which is not configured
c.yaml:8: service::pipelines::traces: references receiver "otlpp" which is not configured, did you mean "otlp"?
c.yaml:11: service::pipelines::traces: references processor "filter" which is not configured
c.yaml:13: service::pipelines::traces: references exporter "otlp/jager" which is not configured, did you mean "otlp/jaeger"?
c.yaml:12: service::pipelines::traces: references processor "batch" multiple times
"#);
    insta::assert_snapshot!(error("receivers: {otlp: , forward: }\nexporters: {debug: }\nconnectors: {forward: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}"), @r#"
c.yaml:1: receivers::forward: unknown type: "forward" for id: "forward" (that is a type of connectors; valid values: otlp)
c.yaml:3: connectors::forward: ambiguous ID: Found both "forward" receiver and "forward" connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename "forward" connector to "forward/connector")
"#);
}

/// Scenario: connectors with one side only, or between signals that they do not connect.
/// Guarantees: refused, naming the pipelines, and the signals that there are where another one is the reason.
#[test]
fn one_sided_connectors() {
    insta::assert_snapshot!(error(&wired("    traces: {receivers: [otlp], exporters: [forward]}\n")), @r#"c.yaml:4: connectors::forward: connector "forward" used as exporter in [traces] pipeline but not used in any supported receiver pipeline"#);
    insta::assert_snapshot!(error(&wired("    traces: {receivers: [otlp, forward], exporters: [debug]}\n")), @r#"c.yaml:4: connectors::forward: connector "forward" used as receiver in [traces] pipeline but not used in any supported exporter pipeline"#);
    insta::assert_snapshot!(error(&wired("    metrics: {receivers: [otlp], exporters: [spanmetrics]}\n    metrics/b: {receivers: [spanmetrics], exporters: [debug]}\n")), @r#"c.yaml:4: connectors::spanmetrics: connector "spanmetrics" used as exporter in [metrics] pipeline but not used in any supported receiver pipeline: "spanmetrics" takes traces only"#);
    insta::assert_snapshot!(error(&wired("    traces: {receivers: [otlp], exporters: [spanmetrics]}\n    traces/b: {receivers: [spanmetrics], exporters: [debug]}\n    metrics: {receivers: [spanmetrics], exporters: [debug]}\n")), @r#"c.yaml:4: connectors::spanmetrics: connector "spanmetrics" used as receiver in [traces/b] pipeline but not used in any supported exporter pipeline: "spanmetrics" gives metrics only"#);
    check(&wired("    traces: {receivers: [otlp], exporters: [spanmetrics]}\n    metrics: {receivers: [spanmetrics], exporters: [debug]}\n")).unwrap();
}

/// Scenario: connectors that lead back to where they come from, at once and over another pipeline, behind harmless ones.
/// Guarantees: the cycle is named from connector to connector.
#[test]
fn cycles() {
    insta::assert_snapshot!(error(&wired("    traces: {receivers: [otlp, forward], processors: [batch], exporters: [forward]}\n")), @r#"c.yaml:6: service::pipelines: cycle detected: connector "forward" (traces to traces) -> processor "batch" in pipeline "traces" -> connector "forward" (traces to traces)"#);
    insta::assert_snapshot!(error(&wired("    traces/in: {receivers: [otlp], exporters: [forward]}\n    traces/a: {receivers: [forward, forward/b], exporters: [forward/b, debug]}\n    traces/z: {receivers: [forward/b], exporters: [debug]}\n")), @r#"c.yaml:6: service::pipelines: cycle detected: connector "forward/b" (traces to traces) -> connector "forward/b" (traces to traces)"#);
    check(&wired("    traces/in: {receivers: [otlp], exporters: [forward, forward/b]}\n    traces/a: {receivers: [forward], exporters: [forward/b]}\n    traces/b: {receivers: [forward/b], exporters: [debug]}\n")).unwrap();
}
