//! A day of many services' model calls, as a normalised pipeline hands them to a store: for benchmarks of the store.
//!
//! Forty services, two hundred tenants, twelve models, fifty thousand users; token counts and times from the distributions that such traffic
//! has (log-normal tokens, exponential queueing, one start in 250 many times slower). The same seed gives the same bytes.

use std::f64::consts::TAU;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use crate::attributes::attribute;
use crate::dice::Dice;

/// A day of spans, in the order in which they start.
#[derive(Debug)]
pub struct Day {
    begin_unix_nano: u64,
    spans: u64,
    made: u64,
    dice: Dice,
    traces: Traces,
}

/// The traces of the moment: four spans each, which come near each other.
#[derive(Debug, Default)]
struct Traces(std::collections::VecDeque<[u8; 16]>);

struct Model {
    name: &'static str,
    provider: &'static str,
    weight: u32,
    tokens_per_second: f64,
    /// Dollars a million input and output tokens.
    price: (f64, f64),
}

/// Spans a request.
pub const SPANS: usize = 512;

const NANOS_A_DAY: u64 = 86_400_000_000_000;
const SERVICES: u64 = 40;
const USERS: u64 = 50_000;

const fn model(name: &'static str, provider: &'static str, weight: u32, speed: f64, price: (f64, f64)) -> Model {
    Model { name, provider, weight, tokens_per_second: speed, price }
}

const MODELS: [Model; 12] = [
    model("gpt-5.1", "openai", 12, 60.0, (2.5, 10.0)),
    model("gpt-5.1-mini", "openai", 16, 140.0, (0.3, 1.2)),
    model("claude-opus-4-6", "anthropic", 5, 45.0, (5.0, 25.0)),
    model("claude-sonnet-4-6", "anthropic", 15, 75.0, (3.0, 15.0)),
    model("claude-haiku-4-6", "anthropic", 10, 160.0, (1.0, 5.0)),
    model("gemini-3-pro", "gcp.vertex_ai", 8, 70.0, (2.0, 12.0)),
    model("gemini-3-flash", "gcp.vertex_ai", 11, 180.0, (0.3, 2.5)),
    model("mistral-large-3", "mistral_ai", 6, 60.0, (2.0, 6.0)),
    model("llama-4-70b", "vllm", 6, 50.0, (0.5, 0.8)),
    model("qwen3-72b", "vllm", 4, 40.0, (0.5, 0.8)),
    model("deepseek-v4", "deepseek", 5, 55.0, (0.4, 1.1)),
    model("command-r-4", "cohere", 2, 65.0, (2.5, 10.0)),
];

const OPERATIONS: [(&str, u32); 5] =
    [("chat", 70), ("text_completion", 5), ("embeddings", 5), ("execute_tool", 15), ("invoke_agent", 5)];
const FINISH: [(&str, u32); 5] = [("stop", 62), ("stop_sequence", 4), ("length", 5), ("tool_call", 28), ("refusal", 1)];

// === impl Day ===

impl Day {
    /// So many spans, spread evenly over the day that begins then.
    pub fn new(begin_unix_nano: u64, spans: u64, seed: u64) -> Self {
        Self { begin_unix_nano, spans, made: 0, dice: Dice::new(seed), traces: Traces::default() }
    }

    fn span(&mut self) -> Span {
        let dice = &mut self.dice;
        let step = NANOS_A_DAY / self.spans.max(1);
        let start = self.begin_unix_nano + self.made * step + dice.number(0, step);
        self.made += 1;
        let Some(model) = MODELS.get(dice.weighted(MODELS.iter().map(|model| model.weight))) else {
            return Span::default();
        };
        let (operation, finish) = (weighted(dice, &OPERATIONS), weighted(dice, &FINISH));
        let input = log_normal(dice, 7.2, 1.2).clamp(5.0, 400_000.0).trunc();
        let output = log_normal(dice, 5.5, 1.1).clamp(1.0, 32_000.0).trunc();
        let cached = if dice.percent(40) { (input * dice.fraction() * 0.9).trunc() } else { 0.0 };
        let cold = if dice.number(0, 250) == 0 { 8.0 + 32.0 * dice.fraction() } else { 1.0 };
        let first = (0.2 + input * 5e-5 - 0.15 * (1.0 - dice.fraction()).ln()) * cold;
        let seconds = first + output / (model.tokens_per_second * (0.6 + 0.7 * dice.fraction()));
        let dollars = ((input - cached) * model.price.0 + cached * model.price.0 * 0.1 + output * model.price.1) / 1e6;
        let failed = dice.number(0, 1000) < 12;
        let mut attributes = vec![
            attribute("tenant.id", format!("tenant-{:03}", tenant(dice))),
            attribute("session.id", format!("s{:09}", dice.number(0, 1_000_000_000))),
            attribute("user.id", format!("u{}", dice.number(0, USERS))),
            attribute("gen_ai.operation.name", operation),
            attribute("gen_ai.provider.name", model.provider),
            attribute("gen_ai.request.model", model.name),
            attribute("gen_ai.response.model", format!("{}-2026-10-01", model.name)),
            attribute("gen_ai.response.id", format!("chatcmpl-{}", dice.hex(14))),
            attribute("gen_ai.usage.input_tokens", whole(input)),
            attribute("gen_ai.usage.output_tokens", whole(output)),
            attribute("gen_ai.usage.cache_read.input_tokens", whole(cached)),
            attribute("gen_ai.usage.cost.amount", (dollars * 1e9).round() / 1e9),
            attribute("gen_ai.usage.cost.currency", "USD"),
            attribute("gen_ai.usage.cost.source", "spanmill"),
            attribute("gen_ai.response.time_to_first_chunk", (first * 1e6).round() / 1e6),
            attribute("spanmill.source", "otel-openai-v2"),
            attribute("spanmill.usage.role", "owner"),
            attribute("spanmill.finish_reason", finish),
            attribute("gen_ai.request.temperature", f64::from(u32::try_from(dice.number(0, 11)).unwrap_or(0)) / 10.0),
            attribute("gen_ai.request.max_tokens", 4096),
            attribute("k8s.pod.name", format!("pod-{}", dice.number(0, 300))),
        ];
        if seconds > 5.0 && input < 2000.0 && finish == "stop" && !failed {
            attributes.push(attribute("spanmill.slow_small", true));
            let cause = if first * 2.0 > seconds { "slow_start" } else { "slow_finish" };
            attributes.push(attribute("spanmill.slow_small.cause", cause));
        }
        if failed {
            attributes.push(attribute("error.type", "timeout"));
            attributes.push(attribute("spanmill.error.class", "timeout"));
        }
        Span {
            trace_id: self.traces.one(dice).to_vec(),
            span_id: dice.bytes::<8>().to_vec(),
            parent_span_id: if dice.percent(25) { Vec::new() } else { dice.bytes::<8>().to_vec() },
            name: format!("{operation} {}", model.name),
            kind: 3,
            start_time_unix_nano: start,
            end_time_unix_nano: start + whole(seconds * 1e9),
            attributes,
            flags: 0x101,
            status: Some(Status { message: String::new(), code: if failed { 2 } else { 0 } }),
            ..Span::default()
        }
    }
}

impl Iterator for Day {
    type Item = Bytes;

    /// The next request: spans of many services, a resource for each.
    fn next(&mut self) -> Option<Bytes> {
        let left = usize::try_from(self.spans - self.made).unwrap_or(usize::MAX).min(SPANS);
        if left == 0 {
            return None;
        }
        let mut services: Vec<Vec<Span>> = vec![Vec::new(); SERVICES as usize];
        for _ in 0..left {
            let span = self.span();
            let service = usize::try_from(self.dice.number(0, SERVICES)).unwrap_or(0);
            if let Some(spans) = services.get_mut(service) {
                spans.push(span);
            }
        }
        let resources = services.into_iter().enumerate().filter(|(_, spans)| !spans.is_empty());
        let resource_spans = resources.map(|(service, spans)| resource_spans(service, spans)).collect();
        Some(ExportTraceServiceRequest { resource_spans }.encode_to_vec().into())
    }
}

// === impl Traces ===

impl Traces {
    /// The trace of the next span.
    fn one(&mut self, dice: &mut Dice) -> [u8; 16] {
        const OPEN: u64 = 20;
        if self.0.len() < 4 * OPEN as usize {
            let id = dice.bytes();
            self.0.extend([id; 4]);
        }
        let place = usize::try_from(dice.number(0, self.0.len() as u64)).unwrap_or(0);
        self.0.swap_remove_front(place).unwrap_or_default()
    }
}

fn resource_spans(service: usize, spans: Vec<Span>) -> ResourceSpans {
    let scope = InstrumentationScope {
        name: "opentelemetry.instrumentation.openai_v2".to_owned(),
        version: "2.2b0".to_owned(),
        ..InstrumentationScope::default()
    };
    let attributes: Vec<KeyValue> = vec![
        attribute("service.name", format!("svc-{service:02}")),
        attribute("deployment.environment.name", "prod"),
        attribute("telemetry.sdk.language", "python"),
    ];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }],
        schema_url: String::new(),
    }
}

fn weighted(dice: &mut Dice, things: &[(&'static str, u32)]) -> &'static str {
    let place = dice.weighted(things.iter().map(|thing| thing.1));
    things.get(place).map_or("", |thing| thing.0)
}

/// A few tenants have most of the traffic.
fn tenant(dice: &mut Dice) -> u64 {
    const TENANTS: f64 = 200.0;
    whole(TENANTS.powf(dice.fraction())).min(199)
}

/// `exp(N(mean, deviation))`, by the method of Box and Muller.
fn log_normal(dice: &mut Dice, mean: f64, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - dice.fraction()).ln()).sqrt();
    (mean + deviation * radius * (TAU * dice.fraction()).cos()).exp()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
fn whole(number: f64) -> u64 {
    number as u64
}
