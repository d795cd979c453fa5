use serde::Deserialize;
use serde_json::json;
use spanmill_config::Section;
use spanmill_otlp::Traces;

use super::super::testing::{attributes, traces};
use super::*;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    include: Option<PropertiesConfig>,
    exclude: Option<PropertiesConfig>,
}

fn compile(yaml: &str) -> Result<Selection, String> {
    let section = Section::from_yaml("x", yaml).unwrap();
    let config: Config = section.parse().map_err(|error| error.to_string())?;
    let selection = Selection::compile(&section, config.include.as_ref(), config.exclude.as_ref());
    selection.map_err(|error| error.to_string())
}

fn sample() -> Traces {
    let span = |name: &str, kind: i32, attrs: serde_json::Value| json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "00f067aa0ba902b7", "name": name, "kind": kind, "attributes": attributes(&attrs)});
    let http = json!({"scope": {"name": "http", "version": "1"}, "spans": [
        span("a", 2, json!({"code": 200, "zero": -0.0, "map": {"x": 1, "y": [1]}})), span("b", 3, json!({"code": "200", "ratio": 0.25}))]});
    let db = json!({"scope": {"name": "db"}, "spans": [span("c", 9, json!({}))]});
    traces(&json!({"resourceSpans": [
        {"resource": {"attributes": attributes(&json!({"service.name": "shop", "n": 1}))}, "scopeSpans": [http, db.clone()]},
        {"resource": {"attributes": attributes(&json!({"service.name": [1]}))}, "scopeSpans": [{"scope": {"name": "db"}, "spans": [span("d", 1, json!({"code": 200}))]}]},
        {"scopeSpans": [{"spans": [span("e", 0, json!({}))]}]},
    ]}))
}

/// The names of the selected spans.
fn selected(yaml: &str) -> String {
    let traces = sample();
    let names = compile(yaml).unwrap().of(&traces).into_iter().map(|ix| traces.span(ix).unwrap().name().to_vec());
    String::from_utf8(names.flatten().collect()).unwrap()
}

/// Scenario: each property, compared strictly.
/// Guarantees: types count, maps are equal in any order, both zeros are the same, and all attributes and scopes must be met.
#[test]
fn strict() {
    let with = |properties: &str| selected(&format!("{{include: {{match_type: strict, {properties}}}}}"));
    assert_eq!(selected("{}"), "abcde");
    assert_eq!(with("services: [shop, x]"), "abc");
    assert_eq!(with("services: ['[1]']"), "d");
    assert_eq!(with("services: [<nil-service-name>]"), "e");
    assert_eq!(with("span_names: [a, d, '']"), "ad");
    assert_eq!(with("span_kinds: [SPAN_KIND_SERVER, SPAN_KIND_INTERNAL]"), "ad");
    assert_eq!(with("attributes: [{key: code}]"), "abd");
    assert_eq!(with("attributes: [{key: code, value: 200}]"), "ad");
    assert_eq!(with("attributes: [{key: zero, value: 0.0}]"), "a");
    assert_eq!(with("attributes: [{key: map, value: {y: [1], x: 1}}]"), "a");
    assert_eq!(with("attributes: [{key: code}, {key: ratio}]"), "b");
    assert_eq!(with("resources: [{key: n, value: 1}]"), "abc");
    assert_eq!(with("libraries: [{name: http, version: '1'}]"), "ab");
    assert_eq!(with("libraries: [{name: db, version: ''}]"), "cd");
    assert_eq!(with("libraries: [{name: http}, {name: db}]"), "");
}

/// Scenario: patterns, and excluded spans among included ones.
/// Guarantees: a pattern matches anywhere, and the texts of numbers; what is excluded is left out.
#[test]
fn patterns_and_exclusion() {
    assert_eq!(selected("{include: {match_type: regexp, attributes: [{key: code, value: ^2}]}}"), "abd");
    assert_eq!(selected("{include: {match_type: regexp, attributes: [{key: ratio, value: '\\.25$'}]}}"), "b");
    assert_eq!(selected("{include: {match_type: regexp, attributes: [{key: map, value: .*}]}}"), "");
    assert_eq!(selected("{include: {match_type: regexp, span_kinds: [^$]}}"), "c");
    assert_eq!(selected("{exclude: {match_type: regexp, services: [sho, nil]}}"), "d");
    let both = "{include: {match_type: strict, services: [shop]}, exclude: {match_type: regexp, libraries: [{name: tt}], span_names: ['[ac]']}}";
    assert_eq!(selected(both), "bc");
}

/// Scenario: properties with mistakes.
/// Guarantees: the message names the option.
#[test]
fn mistakes_are_named() {
    let refused = |yaml: &str| compile(yaml).unwrap_err();
    insta::assert_snapshot!(refused("{include: {match_type: strict}}"), @"x:1: x::include: at least one of services, span_names, span_kinds, attributes, resources and libraries must be specified");
    insta::assert_snapshot!(refused("{exclude: {services: [a]}}"), @"x:1: x::exclude::services: unrecognized match_type: '', valid types are: [regexp strict]");
    insta::assert_snapshot!(refused("{include: {match_type: strict, span_kinds: [CLIENT]}}"), @r#"x:1: x::include::span_kinds: unknown span kind "CLIENT", valid with match_type strict are SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER, SPAN_KIND_CONSUMER"#);
    insta::assert_snapshot!(refused("{include: {match_type: regexp, resources: [{key: n, value: 1}]}}"), @"x:1: x::include::resources[0]: match_type=regexp only supports strings as value");
    insta::assert_snapshot!(refused("{include: {match_type: regexp, libraries: [{name: a, version: '('}]}}"), @r#"x:1: x::include::libraries[0]::version: invalid pattern "(": unclosed group"#);
    insta::assert_snapshot!(refused("{include: {match_type: strict, services: [a], log_bodies: [b]}}"), @"x:1: x::include::log_bodies: should not be specified for trace spans");
    insta::assert_snapshot!(refused("{include: {match_type: strict, attributes: [{value: 1}]}}"), @"x:1: x::include::attributes[0]: can't have empty key in the list of attributes");
    assert!(compile("{include: {attributes: [{key: a}]}}").is_ok());
}
