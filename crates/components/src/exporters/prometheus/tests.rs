use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use serde_json::{Value as Json, json};
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Limits, Opaque};
use spanmill_pipeline::Telemetry;

use super::accept::{Wanted, negotiate};
use super::escape::Escaping;
use super::names::{LabelNamer, MetricNamer, Type};
use super::text::Form;
use super::*;

fn shown(yaml: &str, requests: &[Json], accept: &str) -> String {
    let section = Section::from_yaml("exporters::prometheus", yaml).unwrap();
    let config = Config::read(&section).unwrap();
    let mut store = Store::new(config.selection(), config.metric_expiration.to_std());
    for request in requests {
        let text = request.to_string();
        let encoded = spanmill_otlp::json::to_protobuf(Signal::Metrics, text.as_bytes(), &Limits::default()).unwrap();
        store.take(ExportMetricsServiceRequest::decode(encoded.as_slice()).unwrap().resource_metrics);
    }
    let shown = Shown::new("prometheus".parse().unwrap(), &config, Arc::new(Mutex::new(store)));
    String::from_utf8(shown.page(accept).1).unwrap()
}

fn request(metrics: &Json) -> Json {
    json!({"resourceMetrics": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "service.instance.id", "value": {"stringValue": "1"}},
            {"key": "zone", "value": {"stringValue": "a"}},
        ]},
        "scopeMetrics": [{"scope": {"name": "m"}, "metrics": metrics}],
    }]})
}

const PLAIN: &str = "{endpoint: 'localhost:0', without_scope_info: true}";

/// Scenario: a counter, a gauge and a histogram.
/// Guarantees: names have units and types, labels tell job and instance, `target_info` the rest of the resource.
#[tokio::test]
async fn a_page() {
    let metrics = json!([
        {"name": "calls.made", "description": "How many", "sum": {"aggregationTemporality": 2, "isMonotonic": true,
            "dataPoints": [{"asInt": "3", "attributes": [{"key": "k.x", "value": {"stringValue": "a\"b"}}]}]}},
        {"name": "load", "unit": "1", "gauge": {"dataPoints": [{"asDouble": 0.5}]}},
        {"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [
            {"count": "3", "sum": 4.5, "bucketCounts": ["1", "2"], "explicitBounds": [1]}]}},
    ]);
    insta::assert_snapshot!(shown(PLAIN, &[request(&metrics)], ""), @r#"
    # HELP calls_made_total How many
    # TYPE calls_made_total counter
    calls_made_total{instance="1",job="shop",k_x="a\"b"} 3
    # HELP load_ratio 
    # TYPE load_ratio gauge
    load_ratio{instance="1",job="shop"} 0.5
    # HELP target_info Target metadata
    # TYPE target_info gauge
    target_info{instance="1",job="shop",zone="a"} 1
    # HELP took_seconds 
    # TYPE took_seconds histogram
    took_seconds_bucket{instance="1",job="shop",le="1"} 1
    took_seconds_bucket{instance="1",job="shop",le="+Inf"} 3
    took_seconds_sum{instance="1",job="shop"} 4.5
    took_seconds_count{instance="1",job="shop"} 3
    "#);
}

/// Scenario: delta sums that follow each other, one that begins anew, and one that comes late.
/// Guarantees: they add up, replace what there was, and are dropped.
#[tokio::test]
async fn deltas_add_up() {
    let delta = |start: &str, time: &str, value: &str| {
        request(&json!([{"name": "n", "sum": {"aggregationTemporality": 1, "isMonotonic": true,
            "dataPoints": [{"startTimeUnixNano": start, "timeUnixNano": time, "asInt": value}]}}]))
    };
    let value = |requests: &[Json]| {
        let page = shown(PLAIN, requests, "");
        page.lines().find(|line| line.starts_with("n_total{")).map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    let requests = [delta("1", "10", "4"), delta("10", "20", "6"), delta("30", "40", "1"), delta("1", "5", "99")];
    assert_eq!(value(&requests[..2]).as_deref(), Some("10"));
    assert_eq!(value(&requests[..3]).as_deref(), Some("1"));
    assert_eq!(value(&requests).as_deref(), Some("1"));
}

/// Scenario: exponential delta histograms of different scales.
/// Guarantees: they are joined at the coarser one.
#[test]
fn exponential_deltas_are_joined() {
    use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
    use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, ExponentialHistogramDataPoint};
    let point = |scale, offset, counts: &[u64], start, time| ExponentialHistogramDataPoint {
        scale,
        start_time_unix_nano: start,
        time_unix_nano: time,
        count: counts.iter().sum(),
        sum: Some(1.0),
        positive: Some(Buckets { offset, bucket_counts: counts.to_vec() }),
        ..ExponentialHistogramDataPoint::default()
    };
    let old = store::Point::Exponential(point(1, -1, &[1, 2, 3], 1, 5));
    let mut new = store::Point::Exponential(point(0, 1, &[4], 5, 9));
    merge::onto(&old, &mut new, Some(AggregationTemporality::Delta)).unwrap();
    let store::Point::Exponential(joined) = new else { panic!("another kind") };
    assert_eq!((joined.scale, joined.count, joined.sum, joined.start_time_unix_nano), (0, 10, Some(2.0), 1));
    assert_eq!(joined.positive, Some(Buckets { offset: -1, bucket_counts: vec![1, 5, 4] }));
}

/// Scenario: series that are not updated any more.
/// Guarantees: they disappear from the page.
#[tokio::test(start_paused = true)]
async fn series_expire() {
    let section =
        Section::from_yaml("exporters::prometheus", "{endpoint: 'localhost:0', metric_expiration: 10s}").unwrap();
    let config = Config::read(&section).unwrap();
    let mut store = Store::new(config.selection(), config.metric_expiration.to_std());
    let text = request(&json!([{"name": "g", "gauge": {"dataPoints": [{"asInt": "1"}]}}])).to_string();
    let encoded = spanmill_otlp::json::to_protobuf(Signal::Metrics, text.as_bytes(), &Limits::default()).unwrap();
    store.take(ExportMetricsServiceRequest::decode(encoded.as_slice()).unwrap().resource_metrics);
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert_eq!(store.current().len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(store.current().is_empty());
}

/// Scenario: data points that cannot be shown.
/// Guarantees: each is counted with the reason.
#[tokio::test]
async fn what_is_dropped_is_counted() {
    let mut store = Store::new(config::Selection::None, std::time::Duration::from_secs(60));
    let metrics = json!([
        {"name": "a", "sum": {"isMonotonic": true, "dataPoints": [{"asInt": "1"}]}},
        {"name": "b", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asInt": "1"}, {"asInt": "2"}]}},
        {"name": "c"},
    ]);
    let text = request(&metrics).to_string();
    let encoded = spanmill_otlp::json::to_protobuf(Signal::Metrics, text.as_bytes(), &Limits::default()).unwrap();
    let taken = store.take(ExportMetricsServiceRequest::decode(encoded.as_slice()).unwrap().resource_metrics);
    let expected = [("no_data", 1), ("non_monotonic_delta_sum", 2), ("unspecified_temporality", 1)];
    assert_eq!(taken.dropped, expected.into_iter().collect());
    assert!(expected.iter().all(|(reason, _)| REASONS.contains(reason)));
}

/// Scenario: names with units, suffixes, namespaces, digits and foreign characters, by each strategy.
/// Guarantees: those of the Collector.
#[test]
fn names() {
    let namer = |suffixes, utf8, namespace: &str| MetricNamer { namespace: namespace.to_owned(), suffixes, utf8 };
    let full = namer(true, false, "");
    for (name, unit, kind, made) in [
        ("http.server.duration", "s", Type::Other, "http_server_duration_seconds"),
        ("requests", "1", Type::Counter, "requests_total"),
        ("requests_total", "{request}", Type::Counter, "requests_total"),
        ("load", "1", Type::Gauge, "load_ratio"),
        ("rate", "By/s", Type::Gauge, "rate_bytes_per_second"),
        ("rate", "foo/h", Type::Other, "rate_foo_per_hour"),
        ("2digits", "%", Type::Gauge, "_2digits_percent"),
        ("ü.a", "", Type::Gauge, "a"),
    ] {
        assert_eq!(full.name(name, unit, kind).as_deref(), Some(made), "{name}");
    }
    assert_eq!(full.name("...", "", Type::Gauge), None);
    assert_eq!(namer(false, false, "n.s").name("a.b", "s", Type::Counter).as_deref(), Some("n_s_a_b"));
    assert_eq!(namer(true, true, "").name("a.b", "s", Type::Counter).as_deref(), Some("a.b_seconds_total"));
    assert_eq!(namer(false, true, "n").name("a.b", "s", Type::Counter).as_deref(), Some("n_a.b"));
    let label = |name: &str| LabelNamer { utf8: false }.name(name);
    for (name, made) in [("a.b", "a_b"), ("1a", "key_1a"), ("_a", "key_a"), ("__a.b__", "__a_b__"), ("a--b", "a_b")] {
        assert_eq!(label(name).as_deref(), Some(made));
    }
    assert_eq!((label(""), label("____"), label("_").as_deref()), (None, None, Some("key_")));
}

/// Scenario: what clients accept.
/// Guarantees: the best form that is offered; text for who wants something else.
#[test]
fn negotiation() {
    let form = |accept: &str, open| match negotiate(accept, open) {
        (Wanted::Text(_, Form::OpenMetrics), _) => "open",
        (Wanted::Text(_, Form::Prometheus), _) => "text",
        (Wanted::Protobuf, _) => "proto",
    };
    let proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7";
    assert_eq!(form("", true), "text");
    assert_eq!(form("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", true), "open");
    assert_eq!(form("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", false), "text");
    assert_eq!(form(&format!("{proto},text/plain;version=0.0.4;q=0.3"), true), "proto");
    assert_eq!(form("application/json", true), "text");
    assert_eq!(negotiate("text/plain;version=0.0.4;escaping=allow-utf-8", true).1, Escaping::AllowUtf8);
}

/// Scenario: the exporter is started, fed with metrics, asked for its page, and stopped.
/// Guarantees: the page shows them; other paths and methods are refused; the port is free again.
#[tokio::test]
async fn served_over_http() {
    let id: ComponentId = "prometheus".parse().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let section = Section::from_yaml("exporters::prometheus", &format!("{{endpoint: '{address}'}}")).unwrap();
    let exporter = create(Context { id: &id, section: &section, telemetry: &Telemetry::default() }).unwrap();
    let host = Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0);
    exporter.start(&host).await.unwrap();
    let text = request(&json!([{"name": "g", "gauge": {"dataPoints": [{"asInt": "7"}]}}])).to_string();
    let encoded = spanmill_otlp::json::to_protobuf(Signal::Metrics, text.as_bytes(), &Limits::default()).unwrap();
    exporter.consume(Opaque::parse(Signal::Metrics, encoded.into()).unwrap().into()).await.unwrap();
    let client = reqwest::Client::new();
    let page = client.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("\ng{") && page.contains("} 7\n"), "{page}");
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status().as_u16() };
    assert_eq!(status(client.get(format!("http://{address}/"))).await, 404);
    assert_eq!(status(client.post(format!("http://{address}/metrics"))).await, 405);
    exporter.shutdown().await.unwrap();
    assert!(std::net::TcpListener::bind(address).is_ok());
}

/// Scenario: configurations with a mistake each.
/// Guarantees: refused with the option's path and what is wrong.
#[test]
fn mistakes_are_told() {
    let refused = |yaml: &str| {
        let section = Section::from_yaml("exporters::prometheus", yaml).unwrap();
        Config::read(&section).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused("{}"), @"exporters::prometheus:1: exporters::prometheus::endpoint: expecting a non-blank address to run the Prometheus metrics handler");
    insta::assert_snapshot!(refused("{endpoint: 'l:1', tls: {cert_file: x}}"), @"exporters::prometheus:1: exporters::prometheus::tls: TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)");
    insta::assert_snapshot!(refused("{endpoint: 'l:1', sending_queue: {}}"), @"exporters::prometheus:1: exporters::prometheus::sending_queue: `num_consumers` must be positive");
}
