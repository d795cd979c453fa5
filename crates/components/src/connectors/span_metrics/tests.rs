use serde_json::json;
use tokio::time::{Duration, sleep};

use super::*;
use crate::connectors::testing::{Sink, host, lines, make, run, span, traces};

fn shop(spans: &serde_json::Value) -> Batch {
    traces(&[("service.name", "shop"), ("zone", "a")], spans)
}

fn taken(sink: &Sink) -> Vec<String> {
    lines(&std::mem::take(&mut *sink.0.lock().unwrap()))
}

fn refused(yaml: &str) -> String {
    make(&FACTORY, yaml, &[]).map(|_| ()).unwrap_err().to_string()
}

/// Scenario: spans of the same and of different attributes, in one interval of delta metrics.
/// Guarantees: those alike are counted and measured together; an attribute counts by its text; one of the resource, or the default, stands in.
#[tokio::test]
async fn counts_and_measures() {
    let spans = json!([
        span("get", 2, &json!({"code": 200})),
        span("get", 4, &json!({"code": "200"})),
        span("get", 8, &json!({})),
    ]);
    let yaml = "{aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA, namespace: '',
                 exclude_dimensions: [span.kind, status.code],
                 dimensions: [{name: code, default: none}, {name: zone}, {name: missing}]}";
    let metrics = run(&FACTORY, yaml, vec![shop(&spans)]).await;
    insta::assert_snapshot!(lines(&metrics).join("\n"), @r"
    calls{code=200,service.name=shop,span.name=get,zone=a} 2
    calls{code=none,service.name=shop,span.name=get,zone=a} 1
    duration{code=200,service.name=shop,span.name=get,zone=a} 6 of 2
    duration{code=none,service.name=shop,span.name=get,zone=a} 8 of 1
    ");
    assert_eq!(metrics[0].scope_metrics[0].metrics[1].unit, "ms");
}

/// Scenario: cumulative metrics over three intervals, with new spans in the second.
/// Guarantees: a sum begins with zero and grows; the last interval is sent at the end.
#[tokio::test(start_paused = true)]
async fn cumulative_sums_begin_with_zero() {
    let yaml = "{metrics_flush_interval: 10s, namespace: n, histogram: {disable: true},
                 exclude_dimensions: [service.name, span.kind, status.code]}";
    let (connector, sink) = make(&FACTORY, yaml, &[]).unwrap();
    connector.start(&host()).await.unwrap();
    connector.consume(shop(&json!([span("a", 1, &json!({}))]))).await.unwrap();
    sleep(Duration::from_secs(11)).await;
    assert_eq!(taken(&sink), ["n.calls{span.name=a} 0"]);
    connector.consume(shop(&json!([span("a", 1, &json!({}))]))).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(taken(&sink), ["n.calls{span.name=a} 2"]);
    connector.consume(shop(&json!([span("b", 1, &json!({}))]))).await.unwrap();
    connector.shutdown().await.unwrap();
    assert_eq!(taken(&sink), ["n.calls{span.name=a} 2", "n.calls{span.name=b} 0"]);
}

/// Scenario: series and resources that are not seen any more, with an expiration for each.
/// Guarantees: a series is gone after its own; a resource is sent once more, then gone.
#[tokio::test(start_paused = true)]
async fn what_is_not_seen_expires() {
    let yaml = |option: &str| {
        format!(
            "{{metrics_flush_interval: 10s, namespace: '', histogram: {{disable: true}}, {option}: 15s,
                   exclude_dimensions: [service.name, span.kind, status.code]}}"
        )
    };
    for (option, intervals) in [("series_expiration", 2), ("metrics_expiration", 3)] {
        let (connector, sink) = make(&FACTORY, &yaml(option), &[]).unwrap();
        connector.start(&host()).await.unwrap();
        connector.consume(shop(&json!([span("a", 1, &json!({}))]))).await.unwrap();
        let mut seen = 0;
        for _ in 0..5 {
            sleep(Duration::from_secs(10)).await;
            seen += usize::from(!taken(&sink).is_empty());
        }
        assert_eq!(seen, intervals, "{option}");
        connector.shutdown().await.unwrap();
    }
}

/// Scenario: more series than allowed.
/// Guarantees: the rest is counted as one series, and nothing is lost.
#[tokio::test]
async fn cardinality_is_limited() {
    let spans: Vec<_> = (0..10).map(|n| span(&format!("s{n}"), 1, &json!({}))).collect();
    let yaml = "{aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA, namespace: '', histogram: {disable: true},
                 aggregation_cardinality_limit: 2, exclude_dimensions: [service.name, span.kind, status.code]}";
    let metrics = run(&FACTORY, yaml, vec![shop(&json!(spans))]).await;
    insta::assert_snapshot!(lines(&metrics).join("\n"), @r"
    calls{otel.metric.overflow=true} 8
    calls{span.name=s0} 1
    calls{span.name=s1} 1
    ");
}

/// Scenario: events with an attribute, and one without.
/// Guarantees: each is counted, the event's attribute before the resource's.
#[tokio::test]
async fn events_are_counted() {
    let mut failing = span("a", 1, &json!({}));
    let event = |zone: &str| json!({"name": "e", "attributes": [{"key": "zone", "value": {"stringValue": zone}}]});
    failing["events"] = json!([event("z"), event("z"), {"name": "e"}]);
    let yaml = "{aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA, namespace: '', histogram: {disable: true},
                 events: {enabled: true, dimensions: [{name: zone}]},
                 exclude_dimensions: [service.name, span.name, span.kind, status.code]}";
    let metrics = run(&FACTORY, yaml, vec![shop(&json!([failing]))]).await;
    assert_eq!(lines(&metrics), ["calls{} 1", "events{zone=a} 1", "events{zone=z} 2"]);
}

/// Scenario: a span that a sampler kept for four, and one without a trace state.
/// Guarantees: the first counts four times.
#[tokio::test]
async fn sampled_spans_count_for_those_left_out() {
    let mut sampled = span("a", 10, &json!({}));
    sampled["traceState"] = json!("ot=th:c");
    let yaml =
        "{aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA, namespace: '', enable_metrics_sampling_method: true,
                 exclude_dimensions: [service.name, span.name, span.kind, status.code]}";
    let metrics = run(&FACTORY, yaml, vec![shop(&json!([sampled, span("b", 1, &json!({}))]))]).await;
    insta::assert_snapshot!(lines(&metrics).join("\n"), @r"
    calls{sampling.method=counted} 1
    calls{sampling.method=extrapolated} 4
    duration{sampling.method=counted} 1 of 1
    duration{sampling.method=extrapolated} 40 of 4
    ");
}

/// Scenario: spans without `service.name`, and metrics instead of spans.
/// Guarantees: the first are not counted, as with the Collector's; the others are refused.
#[tokio::test]
async fn what_is_not_counted() {
    let batch = traces(&[("zone", "a")], &json!([span("a", 1, &json!({}))]));
    assert!(run(&FACTORY, "", vec![batch]).await.is_empty());
    let (connector, _) = make(&FACTORY, "", &[]).unwrap();
    let opaque = spanmill_otlp::Opaque::parse(Signal::Metrics, bytes::Bytes::new()).unwrap();
    assert!(connector.consume(opaque.into()).await.is_err());
}

/// Scenario: configurations with a mistake each.
/// Guarantees: refused with the option's path and what is wrong.
#[test]
fn mistakes_are_told() {
    insta::assert_snapshot!(refused("{dimensions: [{name: a}, {name: a}]}"), @r#"connectors::x:1: connectors::x::dimensions[1]: duplicate dimension name "a""#);
    insta::assert_snapshot!(refused("{events: {enabled: true}}"), @"connectors::x:1: connectors::x::events::dimensions: no dimensions configured for events");
    insta::assert_snapshot!(refused("{histogram: {unit: h}}"), @r#"connectors::x:1: connectors::x::histogram::unit: unknown Unit "h", allowed units are "ms" and "s""#);
    insta::assert_snapshot!(refused("{metrics_flush_interval: 0s}"), @"connectors::x:1: connectors::x::metrics_flush_interval: must be more than zero");
}
