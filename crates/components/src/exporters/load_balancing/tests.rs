use std::collections::HashMap;

use serde_json::json;
use spanmill_otlp::{Limits, json as otlp_json};
use spanmill_pipeline::Telemetry;
use tokio::sync::mpsc;

use super::ring::Ring;
use super::*;

fn read(yaml: &str) -> Result<Config, ConfigError> {
    Config::read(&Section::from_yaml("exporters::load_balancing", yaml).unwrap())
}

/// Spans: trace id, and the service of their resource.
fn spans(spans: &[(u8, &str)]) -> Traces {
    let resources: Vec<_> = spans
        .iter()
        .enumerate()
        .map(|(at, (trace, service))| {
            let attributes = if service.is_empty() { json!([]) } else { json!([{"key": "service.name", "value": {"stringValue": service}}]) };
            let span = json!({"traceId": format!("{trace:032x}"), "spanId": format!("{:016x}", at + 1), "name": "s", "kind": 2});
            json!({"resource": {"attributes": attributes}, "scopeSpans": [{"spans": [span]}]})
        })
        .collect();
    let text = json!({"resourceSpans": resources}).to_string();
    let bytes = otlp_json::to_protobuf(Signal::Traces, text.as_bytes(), &Limits::default()).unwrap();
    Traces::parse(bytes.into()).unwrap()
}

/// Scenario: spans of several traces and services, by each key.
/// Guarantees: the same trace, the same service, and the same attributes go to the same backend, by the identifiers of the Collector.
#[test]
fn keys() {
    let ring = Ring::new(&["a", "b", "c", "d"].map(str::to_owned));
    let traces = spans(&[(1, "web"), (2, "web"), (1, "db"), (3, "")]);
    let by_id = Key::TraceId.backends(&traces, &ring).unwrap();
    let expected = [1, 2, 1, 3].map(|trace: u8| ring.backend(&u128::from(trace).to_be_bytes()).unwrap());
    assert_eq!(by_id, expected);
    let service = Key::Attributes(vec!["service.name".to_owned()]).backends(&traces, &ring).unwrap();
    let identifiers = ["service.name=web|", "service.name=web|", "service.name=db|", "service.name=|"];
    assert_eq!(service, identifiers.map(|identifier| ring.backend(identifier.as_bytes()).unwrap()));
    let names = ["service.name", "span.kind", "span.name", "none"].map(str::to_owned).to_vec();
    let attributes = Key::Attributes(names).backends(&traces, &ring).unwrap();
    let identifier = b"service.name=db|span.kind=Server|span.name=s|none=|";
    assert_eq!(Some(attributes[2]), ring.backend(identifier));
    assert!(Key::TraceId.backends(&traces, &Ring::default()).is_none());
}

/// Scenario: two backends that nobody is at, without queues; then a name that has no address.
/// Guarantees: who sends is told to come again; outcomes are counted by backend.
#[tokio::test]
async fn unreachable_backends() {
    let id = ComponentId::new("load_balancing", "").unwrap();
    let telemetry = Telemetry::default();
    let start = async |resolver: &str| {
        let yaml = format!(
            "{{protocol: {{otlp: {{tls: {{insecure: true}}, timeout: 1s, sending_queue: {{enabled: false}}, retry_on_failure: {{enabled: false}}}}}}, resolver: {resolver}}}"
        );
        let section = Section::from_yaml("exporters::load_balancing", &yaml).unwrap();
        let node = create(Context { id: &id, section: &section, telemetry: &telemetry }).unwrap();
        node.start(&Host::new(HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();
        node
    };
    let node = start("{static: {hostnames: ['127.0.0.1:2', '127.0.0.1:1']}}").await;
    let error = node.consume(spans(&[(1, ""), (2, ""), (3, ""), (4, "")]).into()).await.unwrap_err();
    assert!(error.retryable, "{error}");
    node.shutdown().await.unwrap();
    let failed = |endpoint: &str| {
        let labels = [("endpoint", endpoint), ("success", "false")];
        telemetry.counter("otelcol_loadbalancer_backend_outcome", "", &labels).get()
    };
    assert_eq!(failed("127.0.0.1:1") + failed("127.0.0.1:2"), 2);
    assert_eq!(telemetry.gauge("otelcol_loadbalancer_num_backends", "", &[("resolver", "static")]).get(), 2);

    let nobody = start("{dns: {hostname: no-such-name.invalid}}").await;
    let error = nobody.consume(spans(&[(1, "")]).into()).await.unwrap_err();
    assert!(error.retryable && error.message.contains("couldn't find the exporter"), "{error}");
    nobody.shutdown().await.unwrap();
}

/// Scenario: names with and without ports, of both families.
/// Guarantees: as the Collector writes backends.
#[test]
fn names() {
    assert_eq!(name([10, 0, 0, 1].into(), "55690"), "10.0.0.1:55690");
    assert_eq!(name([10, 0, 0, 1].into(), ""), "10.0.0.1");
    assert_eq!(name(std::net::Ipv6Addr::LOCALHOST.into(), "1"), "[::1]:1");
}

/// Scenario: configurations with all sorts of options, and with mistakes.
/// Guarantees: the Collector's verdicts and words.
#[test]
fn options() {
    let list = "resolver: {static: {hostnames: [a, 'b:1']}}";
    for accepted in [
        format!("{{{list}}}"),
        format!(
            "{{{list}, routing_key: service, timeout: 1s, sending_queue: {{queue_size: 5}}, retry_on_failure: {{enabled: true}}}}"
        ),
        format!(
            "{{{list}, routing_key: attributes, routing_attributes: [a], protocol: {{otlp: {{endpoint: x, tls: {{insecure: true}}}}}}}}"
        ),
        "{resolver: {dns: {hostname: x, port: '4317', interval: 1m, timeout: 2s}}, routing_key: traceID}".to_owned(),
    ] {
        assert!(read(&accepted).is_ok(), "{accepted}: {:?}", read(&accepted).err());
    }
    for (yaml, expected) in [
        ("{}".to_owned(), "resolver: no resolvers specified for the exporter"),
        ("{resolver: {static: {hostnames: []}}}".to_owned(), "no endpoints specified for the static resolver"),
        ("{resolver: {dns: {}}}".to_owned(), "no hostname specified to resolve the backends"),
        (
            "{resolver: {static: {hostnames: [a]}, dns: {hostname: b}}}".to_owned(),
            "only one resolver should be specified",
        ),
        ("{resolver: {k8s: {service: a}}}".to_owned(), "resolver::k8s: is not supported"),
        (format!("{{{list}, routing_key: metric}}"), "routing_key: unsupported routing_key: metric"),
        (format!("{{{list}, routing_key: attributes}}"), "routing_attributes must be specified"),
        (format!("{{{list}, routing_attributes: [a]}}"), "routing_attributes can only be used"),
        (format!("{{{list}, protocol: {{otlp: {{balancer_name: x}}}}}}"), "balancer_name"),
        (format!("{{{list}, protocol: {{http: {{}}}}}}"), "unknown key"),
    ] {
        let error = read(&yaml).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
    let section =
        Section::from_yaml("exporters::load_balancing", &format!("{{{list}, retry_on_failure: {{max_interval: 1m}}}}"));
    let section = section.unwrap();
    assert!(!Config::read(&section).unwrap().retry(&section).enabled, "off unless it is said to be on");
}
