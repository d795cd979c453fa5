//! How one call looks in the spans of each instrumentation. The shapes follow recordings of the real ones.

mod anthropic_sdk;
mod openinference;
mod otel;
mod wrapper;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::attributes::attribute;
use crate::call::{Call, Outcome};
use crate::catalogue::Service;
use crate::dice::Dice;

pub(crate) use otel::{agent, tool};

/// An instrumentation, or two of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The OpenTelemetry project's own instrumentations.
    Otel,
    /// The spans that Anthropic's SDK makes by itself.
    AnthropicSdk,
    /// Spans written by hand around an SDK that makes none.
    Wrapper,
    /// Spans written by hand around Anthropic's SDK, which makes its own as well: two a call.
    WrappedAnthropicSdk,
    /// OpenInference.
    OpenInference,
}

/// Name and version of an instrumentation, and the conventions it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) schema_url: &'static str,
}

/// A span and who made it.
#[derive(Debug)]
pub(crate) struct Scoped {
    pub(crate) scope: Scope,
    pub(crate) span: Span,
    /// Whether it is the last one that tells of some call.
    pub(crate) ends_call: bool,
}

/// The spans of one call, children first, below the given parent.
pub(crate) fn spans(service: &Service, call: &Call, parent: &[u8], dice: &mut Dice) -> Vec<Scoped> {
    let mut spans = match service.dialect {
        Dialect::Otel => vec![otel::call(service, call, parent, dice)],
        Dialect::AnthropicSdk => vec![anthropic_sdk::call(call, parent, dice)],
        Dialect::Wrapper => vec![wrapper::call(call, parent, dice)],
        Dialect::WrappedAnthropicSdk => {
            let outer = wrapper::call(call, parent, dice);
            vec![anthropic_sdk::call(call, &outer.span.span_id, dice), outer]
        }
        Dialect::OpenInference => vec![openinference::call(call, parent, dice)],
    };
    if let Some(last) = spans.last_mut() {
        last.ends_call = true;
    }
    spans
}

// === impl Scoped ===

impl Scoped {
    pub(crate) fn new(scope: Scope, span: Span) -> Self {
        Self { scope, span, ends_call: false }
    }
}

/// A span over the time of the call.
fn span_of(call: &Call, name: String, kind: i32, parent: &[u8], dice: &mut Dice) -> Span {
    Span {
        trace_id: call.trace_id.to_vec(),
        span_id: dice.bytes::<8>().to_vec(),
        parent_span_id: parent.to_vec(),
        name,
        kind,
        start_time_unix_nano: call.start_unix_nano,
        end_time_unix_nano: call.end_unix_nano(),
        flags: 0x100,
        ..Span::default()
    }
}

fn ok() -> Option<Status> {
    Some(Status { message: String::new(), code: 1 })
}

fn unset() -> Option<Status> {
    Some(Status::default())
}

fn failed(message: String) -> Option<Status> {
    Some(Status { message, code: 2 })
}

/// The name of the exception that the provider's package raises.
fn exception(call: &Call) -> String {
    let class = match call.outcome {
        Outcome::RateLimited => "RateLimitError",
        Outcome::ServerError => "InternalServerError",
        _ => "APITimeoutError",
    };
    format!("{}.{class}", call.kind.package)
}

/// What that exception says.
fn exception_message(call: &Call) -> String {
    match call.outcome {
        Outcome::RateLimited => "Error code: 429 - {'type': 'error', 'error': {'type': 'rate_limit_error', 'message': \
            'This request would exceed the rate limit of 50 requests per minute.'}}"
            .to_owned(),
        Outcome::ServerError => "Error code: 500 - {'type': 'error', 'error': {'type': 'api_error', 'message': \
            'Internal server error'}}"
            .to_owned(),
        _ => "Request timed out.".to_owned(),
    }
}

/// The event that an SDK records for an exception.
fn exception_event(call: &Call) -> Event {
    let attributes: Vec<KeyValue> = vec![
        attribute("exception.type", exception(call)),
        attribute("exception.message", exception_message(call)),
        attribute("exception.escaped", "False"),
    ];
    let time_unix_nano = call.end_unix_nano().saturating_sub(20_000);
    Event { time_unix_nano, name: "exception".to_owned(), attributes, ..Event::default() }
}

/// The provider's word for the way the call ended; none where it failed.
fn finish(call: &Call) -> Option<&'static str> {
    let [complete, cut, tool] = call.kind.finish;
    match call.outcome {
        Outcome::Stop => Some(complete),
        Outcome::Length => Some(cut),
        Outcome::ToolCalls => Some(tool),
        Outcome::RateLimited | Outcome::ServerError | Outcome::TimedOut => None,
    }
}
