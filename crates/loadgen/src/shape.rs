//! Uniform requests for benchmarks: many like spans, in one of three shapes.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use crate::attributes::{Given, array, attribute, map};
use crate::dice::Dice;
use crate::text::{messages, text};

/// What a span carries beside its dozen small attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Nothing: about 600 bytes a span.
    Small,
    /// A prompt of 8 KB as one string of JSON.
    Text,
    /// A prompt of 8 KB as an array of 24 nested messages.
    Structured,
}

const MODELS: [(&str, &str); 6] = [
    ("gpt-4o-2024-08-06", "openai"),
    ("gpt-4o-mini", "openai"),
    ("claude-sonnet-4-20250514", "anthropic"),
    ("claude-opus-4-1", "anthropic"),
    ("gemini-2.5-pro", "gcp.gemini"),
    ("mistral-large-latest", "mistral_ai"),
];
const FINISH: [&str; 10] =
    ["length", "tool_calls", "tool_calls", "end_turn", "end_turn", "end_turn", "stop", "stop", "stop", "stop"];
const PROMPT_BYTES: usize = 8192;
const BEGIN_UNIX_NANO: u64 = 1_760_000_000_000_000_000;

/// An encoded `ExportTraceServiceRequest` of one resource and one scope with that many spans. The same arguments give the same bytes.
pub fn request(shape: Shape, spans: usize, seed: u64) -> Bytes {
    let mut dice = Dice::new(seed);
    let spans = (0..spans).map(|number| span(shape, number, &mut dice)).collect();
    let scope = InstrumentationScope {
        name: "opentelemetry.instrumentation.openai_v2".to_owned(),
        version: "2.2b0".to_owned(),
        ..InstrumentationScope::default()
    };
    let schema_url = "https://opentelemetry.io/schemas/1.37.0".to_owned();
    let resource_spans = ResourceSpans {
        resource: Some(Resource { attributes: resource(), ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url }],
        schema_url: String::new(),
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec().into()
}

fn resource() -> Vec<KeyValue> {
    vec![
        attribute("service.name", "checkout-assistant"),
        attribute("service.version", "1.14.2"),
        attribute("deployment.environment.name", "prod"),
        attribute("telemetry.sdk.language", "python"),
        attribute("telemetry.sdk.name", "opentelemetry"),
        attribute("telemetry.sdk.version", "1.37.0"),
        attribute("host.name", "ip-10-0-13-201.eu-west-1.compute.internal"),
    ]
}

fn span(shape: Shape, number: usize, dice: &mut Dice) -> Span {
    let (model, provider) = dice.pick(&MODELS);
    let start = BEGIN_UNIX_NANO + dice.number(0, 1 << 40);
    let mut attributes = vec![
        attribute("gen_ai.operation.name", "chat"),
        attribute("gen_ai.provider.name", provider),
        attribute("gen_ai.request.model", model),
        attribute("gen_ai.response.model", model),
        attribute("gen_ai.request.max_tokens", 4096),
        attribute("gen_ai.request.temperature", 0.7),
        attribute("gen_ai.usage.input_tokens", dice.number(200, 6200)),
        attribute("gen_ai.usage.output_tokens", dice.number(20, 2020)),
        attribute("gen_ai.response.finish_reasons", array([dice.pick(&FINISH)])),
        attribute("gen_ai.response.id", format!("chatcmpl-{}", dice.hex(28))),
        attribute("gen_ai.conversation.id", format!("conv_{:016x}", dice.number(0, 500))),
        attribute("server.address", "api.openai.com"),
    ];
    match shape {
        Shape::Small => {}
        Shape::Text => attributes.push(attribute("gen_ai.input.messages", messages(dice, PROMPT_BYTES))),
        Shape::Structured => attributes.push(attribute("gen_ai.input.messages", structured(dice))),
    }
    Span {
        trace_id: dice.bytes::<16>().to_vec(),
        span_id: dice.bytes::<8>().to_vec(),
        parent_span_id: if number.is_multiple_of(4) { Vec::new() } else { dice.bytes::<8>().to_vec() },
        name: format!("chat {model}"),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + dice.number(1, 10_000) * 1_000_000,
        attributes,
        flags: 0x101,
        status: Some(Status { message: String::new(), code: 1 }),
        ..Span::default()
    }
}

/// The structured form of messages that instrumentations write since version 1.37 of the conventions.
fn structured(dice: &mut Dice) -> Given {
    const COUNT: usize = 24;
    const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];
    array((0..COUNT).zip(ROLES.into_iter().cycle()).map(|(_, role)| {
        let content = text(dice, PROMPT_BYTES / COUNT - 60);
        let part = map(vec![attribute("type", "text"), attribute("content", content)]);
        map(vec![attribute("role", role), attribute("parts", array([part]))])
    }))
}

// === impl Shape ===

impl Shape {
    /// All shapes, the small one first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Text, Self::Structured];

    /// A short name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Text => "text",
            Self::Structured => "structured",
        }
    }
}
