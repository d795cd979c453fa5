use serde_json::{Value as Json, json};
use spanmill_pipeline::Batch;

use super::*;
use crate::connectors::testing::{lines, make, run, span, traces};

fn calls(spans: &Json) -> Batch {
    traces(&[("service.name", "chat"), ("zone", "a")], spans)
}

fn owner(more: &Json) -> Json {
    let mut attributes = json!({
        "spanmill.usage.role": "owner", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
    });
    for (key, value) in more.as_object().unwrap() {
        attributes[key] = value.clone();
    }
    span("chat m", 1500, &attributes)
}

/// Scenario: a call with all that can be measured, one that failed, a roll-up and a span that is no call.
/// Guarantees: only owners are counted; timings of successful calls only; the attributes are the conventions'.
#[tokio::test]
async fn owners_are_counted() {
    let spans = json!([
        owner(&json!({
            "gen_ai.response.time_to_first_chunk": 0.5, "spanmill.time_per_output_token": 0.05,
            "gen_ai.usage.cost.amount": 0.25, "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "estimated",
            "spanmill.slow_small": true, "spanmill.slow_small.cause": "slow_start",
        })),
        owner(&json!({"error.type": "timeout", "gen_ai.response.time_to_first_chunk": 9.0})),
        span("agent", 1, &json!({"spanmill.usage.role": "rollup", "gen_ai.usage.input_tokens": 100})),
        span("other", 1, &json!({})),
    ]);
    let metrics = run(&FACTORY, "{temporality: delta}", vec![calls(&spans)]).await;
    insta::assert_snapshot!(lines(&metrics).join("\n"), @r"
    gen_ai.client.operation.duration{error.type=timeout,gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 1.5 of 1
    gen_ai.client.operation.duration{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 1.5 of 1
    gen_ai.client.token.usage{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.token.type=input} 200 of 2
    gen_ai.client.token.usage{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.token.type=output} 40 of 2
    gen_ai.server.time_per_output_token{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 0.05 of 1
    gen_ai.server.time_to_first_token{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 0.5 of 1
    spanmill.gen_ai.cost{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.usage.cost.currency=USD,gen_ai.usage.cost.source=estimated} 0.25
    spanmill.gen_ai.slow_small{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,spanmill.slow_small.cause=slow_start} 1
    ");
}

/// Scenario: more models than series are allowed, and an attribute of the resource.
/// Guarantees: the rest is one series; the attribute is taken.
#[tokio::test]
async fn cardinality_is_limited() {
    let spans: Vec<Json> = (0..5).map(|n| owner(&json!({"gen_ai.request.model": format!("m{n}")}))).collect();
    let yaml = "{temporality: delta, aggregation_cardinality_limit: 2, dimensions: [{name: zone}, {name: tenant, default: none}]}";
    let metrics = run(&FACTORY, yaml, vec![calls(&json!(spans))]).await;
    let lines = lines(&metrics);
    let durations: Vec<&String> = lines.iter().filter(|line| line.contains("duration")).collect();
    assert_eq!(durations.len(), 3, "{durations:?}");
    assert!(durations.iter().any(|line| line.ends_with("{otel.metric.overflow=true} 4.5 of 3")), "{durations:?}");
    assert!(durations.iter().any(|line| line.contains("tenant=none,zone=a")), "{durations:?}");
}

/// Scenario: counts that are no numbers or below zero.
/// Guarantees: passed over; the call is measured all the same.
#[tokio::test]
async fn hostile_values() {
    let spans = json!([owner(&json!({
        "gen_ai.usage.input_tokens": -5, "gen_ai.usage.output_tokens": "many", "gen_ai.usage.cost.amount": -1.0,
    }))]);
    let metrics = run(&FACTORY, "{temporality: delta}", vec![calls(&spans)]).await;
    assert_eq!(lines(&metrics).len(), 1);
}

/// Scenario: configurations with a mistake each.
/// Guarantees: refused with the option's path and what is wrong.
#[test]
fn mistakes_are_told() {
    let refused = |yaml: &str| make(&FACTORY, yaml, &[]).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(refused("{dimensions: [{name: server.port}]}"), @r#"connectors::x:1: connectors::x::dimensions[0]: duplicate dimension name "server.port""#);
    insta::assert_snapshot!(refused("{metrics_flush_interval: 0}"), @"connectors::x:1: connectors::x::metrics_flush_interval: must be more than zero");
    insta::assert_snapshot!(refused("{exponential: {max_size: 1}}"), @"connectors::x:1: connectors::x::exponential::max_size: must be between 2 and 16384");
}
