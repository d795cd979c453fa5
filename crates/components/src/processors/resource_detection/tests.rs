use bytes::Bytes;
use serde_json::json;
use spanmill_config::Section;
use spanmill_otlp::{Limits, Opaque, Traces, json as otlp_json};

use super::*;

fn refusal(yaml: &str) -> String {
    let section = Section::from_yaml("processors::resource_detection", yaml).unwrap();
    Config::read(&section).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

fn found() -> Detected {
    let mut found = Detected::default();
    found.set("host.name", "web");
    found.set("host.ip", vec!["10.0.0.1".to_owned(), "::1".to_owned()]);
    found.set("os.build.id", 7);
    found
}

/// A request with three resources: with a name of its own, with nothing, and without a resource at all.
fn request(signal: Signal) -> Bytes {
    let attributes =
        json!([{"key": "host.name", "value": {"stringValue": "own"}}, {"key": "a", "value": {"intValue": "1"}}]);
    let (groups, scopes, items) = match signal {
        Signal::Traces => ("resourceSpans", "scopeSpans", "spans"),
        Signal::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
        Signal::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
    };
    let item = match signal {
        Signal::Traces => {
            json!({"name": "s", "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"})
        }
        Signal::Metrics => json!({"name": "m", "gauge": {"dataPoints": [{"asInt": "1"}]}}),
        Signal::Logs => json!({"body": {"stringValue": "l"}}),
    };
    let inner = json!([{items: [item]}]);
    let text = json!({groups: [
        {"resource": {"attributes": attributes}, scopes: inner, "schemaUrl": "x"},
        {"resource": {}, scopes: inner},
        {scopes: inner},
    ]});
    otlp_json::to_protobuf(signal, text.to_string().as_bytes(), &Limits::default()).unwrap().into()
}

/// The attributes of each resource, and the whole as JSON.
fn shown(signal: Signal, bytes: &[u8]) -> (Vec<String>, String) {
    let mut text = Vec::new();
    otlp_json::from_protobuf(signal, bytes, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let groups = parsed.as_object().unwrap().values().next().unwrap().as_array().unwrap();
    let attributes = groups.iter().map(|group| {
        let attributes = group["resource"]["attributes"].as_array().cloned().unwrap_or_default();
        let pair =
            |attribute: &serde_json::Value| format!("{}={}", attribute["key"].as_str().unwrap(), attribute["value"]);
        attributes.iter().map(pair).collect::<Vec<_>>().join(" ")
    });
    (attributes.collect(), text)
}

/// Scenario: attributes are put into requests of all signals, replacing what is there and not.
/// Guarantees: every resource has them; what it had is replaced in its place or kept; nothing else changes.
#[test]
fn all_signals() {
    let rest = r#"host.ip={"arrayValue":{"values":[{"stringValue":"10.0.0.1"},{"stringValue":"::1"}]}} os.build.id={"intValue":"7"}"#;
    let new = format!(r#"host.name={{"stringValue":"web"}} {rest}"#);
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        for (replaces, name) in [(true, "web"), (false, "own")] {
            let request = request(signal);
            let bytes = if signal == Signal::Traces {
                let mut traces = Traces::parse(request.clone()).unwrap();
                found().put_into_traces(&mut traces, replaces);
                traces.encode()
            } else {
                let opaque = Opaque::parse(signal, request.clone()).unwrap();
                found().put_into_opaque(&opaque, replaces).unwrap().bytes().clone()
            };
            let (attributes, text) = shown(signal, &bytes);
            let first = format!(r#"host.name={{"stringValue":"{name}"}} a={{"intValue":"1"}} {rest}"#);
            assert_eq!(attributes, [first, new.clone(), new.clone()], "{signal:?} {replaces}");
            let (_, before) = shown(signal, &request);
            assert_eq!(text.contains("\"schemaUrl\":\"x\""), before.contains("\"schemaUrl\":\"x\""));
        }
    }
}

/// Scenario: two detectors find the same attribute.
/// Guarantees: the earlier counts.
#[test]
fn order() {
    let mut first = Detected::default();
    first.set("a", "1");
    let mut second = Detected::default();
    second.set("a", "2");
    second.set("b", "3");
    first.add(second);
    assert_eq!(first.texts(), ["a=1", "b=3"]);
}

/// Scenario: a daemon that is not there, asked for in both ways.
/// Guarantees: it finds nothing, or fails within the time that is given.
#[tokio::test]
async fn without_docker() {
    let config = |yaml: &str| {
        let section = Section::from_yaml("processors::resource_detection", yaml).unwrap();
        Config::read(&section).unwrap()
    };
    // Where a daemon runs, there is something to find instead.
    if std::path::Path::new("/var/run/docker.sock").exists() {
        return;
    }
    assert!(config("{detectors: [docker, gcp]}").detect().await.unwrap().is_empty());
    let once = config("{detectors: [docker], fail_on_missing_metadata: true, retry: {enabled: false}}");
    assert!(once.detect().await.unwrap_err().starts_with("docker metadata unavailable"));
    let again = config("{detectors: [docker], fail_on_missing_metadata: true, timeout: 50ms}");
    assert!(again.detect().await.unwrap_err().contains("no resource detected within"));
}

/// Scenario: configurations with all sorts of options, and with mistakes.
/// Guarantees: the Collector's verdicts and words.
#[test]
fn options() {
    for accepted in [
        "",
        "{detectors: [env, system, docker], timeout: 2s, override: false}",
        "{detectors: [system], system: {hostname_sources: [os, dns, cname, lookup], resource_attributes: {host.id: {enabled: true}}}}",
        "{detectors: [gcp, ec2, eks], ec2: {tags: [a]}, tls: {insecure: true}}",
        "{detectors: [], refresh_interval: 1m, retry: {enabled: false}}",
        "{timeout: 0s, retry: {max_elapsed_time: 1m}}",
    ] {
        assert_eq!(refusal(accepted), "accepted", "{accepted}");
    }
    for (yaml, expected) in [
        ("{detectors: [process]}", "detectors[0]: invalid detector key: process"),
        ("{detectors: [env, foo]}", "detectors[1]: invalid detector key: foo"),
        ("{system: {hostname_sources: [dns, file]}}", "hostname_sources contains invalid value: \"file\""),
        ("{system: {resource_attributes: {host.nam: {enabled: true}}}}", "unknown key \"host.nam\""),
        ("{timeout: 0s}", "retry.enabled requires either timeout > 0 or retry.max_elapsed_time > 0"),
        ("{retry: {multiplier: -1}}", "retry::multiplier"),
        ("{detector: [env]}", "unknown key"),
    ] {
        let refusal = refusal(yaml);
        assert!(refusal.contains(expected), "{yaml}: {refusal}");
    }
}
