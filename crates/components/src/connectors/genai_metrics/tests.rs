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
    gen_ai.client.operation.time_to_first_chunk{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 0.5 of 1
    gen_ai.client.token.usage{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.token.type=input} 200 of 2
    gen_ai.client.token.usage{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.token.type=output} 40 of 2
    gen_ai.server.time_per_output_token{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 0.05 of 1
    gen_ai.server.time_to_first_token{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 0.5 of 1
    spanmill.gen_ai.cost{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,gen_ai.usage.cost.currency=USD,gen_ai.usage.cost.source=estimated} 0.25
    spanmill.gen_ai.slow_small{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,spanmill.slow_small.cause=slow_start} 1
    ");
}

/// A failed span of one trace, without usage.
fn failed(id: u8, parent: u8, more: &Json) -> Json {
    let mut attributes = json!({"gen_ai.operation.name": "chat", "spanmill.error.class": "rate_limit"});
    for (key, value) in more.as_object().unwrap() {
        attributes[key] = value.clone();
    }
    let mut span = span("chat", 500, &attributes);
    span["spanId"] = json!(format!("{id:016x}"));
    span["parentSpanId"] = json!(format!("{parent:016x}"));
    span
}

/// Scenario: calls that failed before there was any usage: two attempts below a wrapper and an agent, whose spans arrive with them or
/// later; a span with usage whose wrapper failed; a tool that failed.
/// Guarantees: each attempt is counted, with its error; what is above it is not, and neither is the tool.
#[tokio::test]
async fn failed_calls_are_counted_once() {
    let together = json!([
        failed(3, 2, &json!({"error.type": "RateLimitError"})),
        failed(4, 2, &json!({})),
        failed(2, 1, &json!({})),
        failed(1, 9, &json!({"gen_ai.operation.name": "invoke_agent"})),
        failed(7, 1, &json!({"gen_ai.operation.name": "execute_tool"})),
    ]);
    let later = json!([failed(9, 10, &json!({})), failed(10, 0, &json!({}))]);
    let mut owner = owner(&json!({}));
    owner["parentSpanId"] = json!(format!("{:016x}", 20));
    let answered = json!([failed(20, 0, &json!({})), owner]);
    let batches = vec![calls(&together), calls(&later), calls(&answered)];
    let metrics = run(&FACTORY, "{temporality: delta}", batches).await;
    let lines = lines(&metrics);
    let durations: Vec<&str> = lines.iter().filter(|line| line.contains("duration")).map(String::as_str).collect();
    insta::assert_snapshot!(durations.join("\n"), @r"
    gen_ai.client.operation.duration{error.type=RateLimitError,gen_ai.operation.name=chat,spanmill.error.class=rate_limit} 0.5 of 1
    gen_ai.client.operation.duration{error.type=rate_limit,gen_ai.operation.name=chat,spanmill.error.class=rate_limit} 0.5 of 1
    gen_ai.client.operation.duration{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 1.5 of 1
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

/// Scenario: more than the one series that is allowed, in two currencies.
/// Guarantees: what is beyond the limit is summed by currency, and tokens by their type.
#[tokio::test]
async fn overflow_sums_like_with_like() {
    let call = |model: usize, currency: &str| {
        owner(&json!({
            "gen_ai.request.model": format!("m{model}"), "gen_ai.usage.cost.amount": 1.5,
            "gen_ai.usage.cost.currency": currency, "gen_ai.usage.cost.source": "reported",
        }))
    };
    let spans = json!([call(0, "USD"), call(1, "USD"), call(2, "EUR"), call(3, "USD")]);
    let metrics = run(&FACTORY, "{temporality: delta, aggregation_cardinality_limit: 1}", vec![calls(&spans)]).await;
    let lines: Vec<_> = lines(&metrics).into_iter().filter(|line| line.contains("overflow")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    gen_ai.client.operation.duration{otel.metric.overflow=true} 4.5 of 3
    gen_ai.client.token.usage{gen_ai.token.type=input,otel.metric.overflow=true} 300 of 3
    gen_ai.client.token.usage{gen_ai.token.type=output,otel.metric.overflow=true} 80 of 4
    spanmill.gen_ai.cost{gen_ai.usage.cost.currency=EUR,gen_ai.usage.cost.source=reported,otel.metric.overflow=true} 1.5
    spanmill.gen_ai.cost{gen_ai.usage.cost.currency=USD,gen_ai.usage.cost.source=reported,otel.metric.overflow=true} 3.0
    ");
}

/// Scenario: an attribute that is not there and has a default, and one that is there with the same value.
/// Guarantees: one series.
#[tokio::test]
async fn a_default_is_a_value() {
    let spans = json!([owner(&json!({})), owner(&json!({"team": "unknown"})), owner(&json!({"team": "a"}))]);
    let yaml = "{temporality: delta, dimensions: [{name: team, default: unknown}]}";
    let metrics = run(&FACTORY, yaml, vec![calls(&spans)]).await;
    let lines: Vec<_> = lines(&metrics).into_iter().filter(|line| line.contains("duration")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    gen_ai.client.operation.duration{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,team=a} 1.5 of 1
    gen_ai.client.operation.duration{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m,team=unknown} 3 of 2
    ");
}

/// Scenario: calls with usage that failed and say so by the status of the span, or by a number.
/// Guarantees: they have an error type, and their timings are not those of successful answers.
#[tokio::test]
async fn a_status_is_an_error() {
    let timed = json!({"gen_ai.response.time_to_first_chunk": 0.5, "spanmill.time_per_output_token": 0.05});
    let mut by_status = owner(&timed);
    by_status["status"] = json!({"code": 2});
    let mut by_number = owner(&timed);
    by_number["attributes"].as_array_mut().unwrap().push(json!({"key": "error.type", "value": {"intValue": "429"}}));
    let metrics = run(&FACTORY, "{temporality: delta}", vec![calls(&json!([by_status, by_number]))]).await;
    let lines: Vec<_> = lines(&metrics).into_iter().filter(|line| !line.contains("token.usage")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    gen_ai.client.operation.duration{error.type=429,gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 1.5 of 1
    gen_ai.client.operation.duration{error.type=_OTHER,gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=m} 1.5 of 1
    ");
}

/// Scenario: a pipeline with `genai` and a sampler, one with neither that gets from one with `genai`, and one without any.
/// Guarantees: at start the sampler and the lack of `genai` are told of, and nothing else.
#[test]
fn what_stands_before_is_told() {
    let pipeline = |receivers: &[&str], processors: &[&str], exporters: &[&str]| {
        let ids = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        spanmill_config::PipelineConfig {
            receivers: ids(receivers),
            processors: ids(processors),
            exporters: ids(exporters),
        }
    };
    let layout = spanmill_pipeline::Layout {
        pipelines: vec![
            ("traces/sampled".parse().unwrap(), pipeline(&["otlp"], &["genai", "tail_sampling"], &["genai_metrics"])),
            ("traces/plain".parse().unwrap(), pipeline(&["otlp"], &["batch"], &["genai_metrics"])),
            ("traces/first".parse().unwrap(), pipeline(&["otlp"], &["genai/mine"], &["forward"])),
            ("traces/second".parse().unwrap(), pipeline(&["forward"], &[], &["genai_metrics"])),
        ],
        ..spanmill_pipeline::Layout::default()
    };
    let warnings = surroundings::warnings(&layout, &"genai_metrics".parse().unwrap());
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    of "traces/sampled" only what tail_sampling keeps is counted: costs depend on its ratio; send to genai_metrics from a pipeline before it
    nothing but failed calls is counted of "traces/plain": it has no genai processor, which says what each call used
    "#);
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
