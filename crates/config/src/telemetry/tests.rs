use super::{LogLevel, LogsTelemetry, MetricsLevel, TelemetryConfig};
use crate::{ConfigError, Duration, Section};

fn parse(text: &str) -> Result<TelemetryConfig, ConfigError> {
    TelemetryConfig::from_section(&Section::from_yaml("service::telemetry", text)?)
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

fn addresses(text: &str) -> Vec<String> {
    parse(text).unwrap().metrics.prometheus().map(|(_, reader)| reader.address()).collect()
}

/// Scenario: nothing is configured, or only keys without values.
/// Guarantees: the Collector's defaults; a level that is nothing is the zero of levels.
#[test]
fn defaults() {
    for text in
        ["", "{}", "logs:\nmetrics:\ntraces:\nresource:", "logs: {sampling: , output_paths: }\nmetrics: {readers: }"]
    {
        assert_eq!(parse(text).unwrap(), TelemetryConfig::default(), "{text}");
    }
    assert_eq!(addresses(""), ["localhost:8888"]);
    assert_eq!(parse("metrics: {level: }").unwrap().metrics.level, MetricsLevel::Basic);
    assert_eq!(parse("logs: {level: }").unwrap().logs.level, LogLevel::Info);
}

/// Scenario: levels by name in any case and by number.
/// Guarantees: understood as in the Collector.
#[test]
fn levels() {
    let metrics = |level: &str| parse(&format!("metrics: {{level: {level}}}")).unwrap().metrics.level;
    assert_eq!(
        [metrics("none"), metrics("DETAILED"), metrics("Normal"), metrics("0"), metrics("7")],
        [MetricsLevel::None, MetricsLevel::Detailed, MetricsLevel::Normal, MetricsLevel::Basic, MetricsLevel::Detailed]
    );
    let logs = |level: &str| parse(&format!("logs: {{level: {level}}}")).unwrap().logs.level;
    assert_eq!(
        [logs("DEBUG"), logs("warning"), logs("''"), logs("-1")],
        [LogLevel::Debug, LogLevel::Warn, LogLevel::Info, LogLevel::Debug]
    );
    insta::assert_snapshot!(error("logs:\n  level: trace"), @r#"service::telemetry:2: service::telemetry::logs::level: unknown level "trace", expected debug, info, warn, error, dpanic, panic or fatal"#);
    insta::assert_snapshot!(error("metrics: {level: much}"), @r#"service::telemetry:1: service::telemetry::metrics::level: unknown level "much", expected none, basic, normal or detailed"#);
}

/// Scenario: readers of both kinds, and none.
/// Guarantees: Prometheus endpoints are found, defaults of left out options as in the default reader.
#[test]
fn readers() {
    let text = "metrics:\n  readers:\n  - pull: {exporter: {prometheus: {host: '::1', port: 9}}}\n  - periodic: {exporter: {otlp: {}}}\n  - pull: {exporter: {prometheus: {without_units: false}}}";
    assert_eq!(addresses(text), ["[::1]:9", "localhost:8888"]);
    let parsed = parse(text).unwrap();
    let units: Vec<bool> = parsed.metrics.prometheus().map(|(_, reader)| reader.without_units).collect();
    assert_eq!(units, [true, false]);
    assert!(addresses("metrics: {level: none, readers: []}").is_empty());
    assert!(addresses("metrics: {level: none}").is_empty());
    insta::assert_snapshot!(error("metrics: {readers: []}"), @r#"service::telemetry:1: service::telemetry::metrics::readers: collector telemetry metrics reader should exist when metric level is not none"#);
    insta::assert_snapshot!(error("metrics:\n  address: :8888"), @r#"service::telemetry:2: service::telemetry::metrics: unknown key "address" (valid keys: level, readers, views)"#);
    insta::assert_snapshot!(error("metrics: {readers: [{pull: {exporter: {prometheus: {port: '9'}}}}]}"), @r#"service::telemetry:1: service::telemetry::metrics::readers[0]::pull::exporter::prometheus::port: expected a whole number, found the string "9""#);
    insta::assert_snapshot!(error("metrics: {views: [{}]}"), @r#"service::telemetry:1: service::telemetry::metrics::views: views can only be set when service::telemetry::metrics::level is detailed"#);
}

/// Scenario: all options of logs and traces.
/// Guarantees: they are accepted; those with effect are kept, those without named.
#[test]
fn logs_and_traces() {
    let text = "logs: {encoding: json, sampling: {tick: 5s}, output_paths: [stdout], initial_fields: {a: 1}, development: true, \
                disable_caller: true, disable_stacktrace: true, disable_zap_resource: true, error_output_paths: [x], processors: [{}]}\n\
                traces: {level: none, propagators: [b3], processors: [{}], sampler: {always_on: }, limits: {}}";
    let ignored = ["service::telemetry::logs::processors", "service::telemetry::traces::processors"];
    assert_eq!(parse(text).unwrap().ignored, ignored);
    let LogsTelemetry { encoding, sampling, output_paths, initial_fields, .. } = parse(text).unwrap().logs;
    assert_eq!((encoding.as_str(), sampling.tick, sampling.initial), ("json", Duration::from_secs(5), 10));
    assert_eq!((output_paths, initial_fields["a"].as_i64()), (vec!["stdout".to_owned()], Some(1)));
    insta::assert_snapshot!(error("traces: {foo: 1}"), @r#"service::telemetry:1: service::telemetry::traces: unknown key "foo" (valid keys: level, limits, processors, propagators, sampler)"#);
}

/// Scenario: options of metrics and of the resource that have no effect, and the same with the values that they have by themselves.
/// Guarantees: the former are named, the latter are not.
#[test]
fn without_effect() {
    let reader =
        |options: &str| format!("metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{{options}}}}}}}}}]}}");
    let ignored = |text: &str| parse(text).unwrap().ignored;
    let text = reader(
        "with_resource_constant_labels: {included: [a]}, without_scope_info: false, without_type_suffix: false, without_units: false",
    );
    let path = "service::telemetry::metrics::readers::pull::exporter::prometheus";
    let options = [
        "with_resource_constant_labels",
        "without_scope_info: false",
        "without_type_suffix: false",
        "without_units: false",
    ];
    assert_eq!(ignored(&text), options.map(|option| format!("{path}::{option}")));
    assert!(ignored(&reader("without_scope_info: true, without_type_suffix: true, without_units: true")).is_empty());
    assert_eq!(ignored("metrics: {readers: [{periodic: {}}]}"), ["service::telemetry::metrics::readers::periodic"]);
    let detection = "service::telemetry::resource::detection/development";
    assert_eq!(ignored("resource: {detection/development: {detectors: [{host: }]}, a: b, schema_url: x}"), [detection]);
}

/// Scenario: attributes of the resource in both forms.
/// Guarantees: names and values, `None` for those to be left out; mixtures and other types are refused.
#[test]
fn resource() {
    let attributes = |text: &str| -> Vec<(String, Option<String>)> {
        let resource = parse(text).unwrap().resource;
        resource.iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect()
    };
    let expected = [("a".to_owned(), Some("b".to_owned())), ("c".to_owned(), None)];
    assert_eq!(attributes("resource: {a: b, c: }"), expected);
    assert_eq!(
        attributes("resource: {attributes: [{name: a, value: b}, {name: c, value: }], schema_url: x, detectors: {}}"),
        expected
    );
    insta::assert_snapshot!(error("resource:\n  a: 5"), @r#"service::telemetry:2: service::telemetry::resource::a: legacy resource attribute "a" must be string or null"#);
    insta::assert_snapshot!(error("resource: {a: b, attributes: [{name: a, value: b}]}"), @r#"service::telemetry:1: service::telemetry::resource::attributes: attributes cannot be used together with legacy inline resource attributes"#);
    insta::assert_snapshot!(error("resource: {attributes_list: a=b}"), @r#"service::telemetry:1: service::telemetry::resource::attributes_list: attributes_list is not currently supported, please use attributes"#);
    insta::assert_snapshot!(error("resource: {attributes: {a: b}}"), @r#"service::telemetry:1: service::telemetry::resource::attributes: expected a list, found a map"#);
}
