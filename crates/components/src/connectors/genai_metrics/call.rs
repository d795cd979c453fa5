//! A call: what the metrics read of a span.

use std::borrow::Cow;
use std::ops::ControlFlow;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use spanmill_otlp::{AnyValue, Attribute, Guesses, KeyTable, Payload, Pos, SpanRef, StatusRef, ValueRef, Visitor};

use super::config::{Config, DimensionConfig};
use crate::connectors::metrics::{key_value, push_typed, push_typed_text, text_attribute};

/// The attributes of spans that are read. The first are attributes of all metrics, too.
pub(super) const ATTRIBUTES: [&str; 19] = [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    ERROR_TYPE,
    "spanmill.usage.role",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.response.time_to_first_chunk",
    "spanmill.time_per_output_token",
    "gen_ai.usage.cost.amount",
    COST_CURRENCY,
    COST_SOURCE,
    "spanmill.slow_small",
    SLOW_SMALL_CAUSE,
    ERROR_CLASS,
    TOKEN_TYPE,
];

/// How many of them all metrics have.
const COMMON: usize = 6;

pub(super) const ERROR_TYPE: &str = "error.type";
pub(super) const COST_CURRENCY: &str = "gen_ai.usage.cost.currency";
pub(super) const COST_SOURCE: &str = "gen_ai.usage.cost.source";
pub(super) const SLOW_SMALL_CAUSE: &str = "spanmill.slow_small.cause";
pub(super) const ERROR_CLASS: &str = "spanmill.error.class";
/// On metrics only.
pub(super) const TOKEN_TYPE: &str = "gen_ai.token.type";

/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: i32 = 2;

/// What one call of a model does, by `gen_ai.operation.name`.
const OF_MODELS: [&[u8]; 4] = [b"chat", b"text_completion", b"generate_content", b"embeddings"];

/// What is read, by number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Operation = 0,
    ErrorType = 6,
    Role,
    InputTokens,
    OutputTokens,
    FirstChunk,
    PerToken,
    Cost,
    CostCurrency,
    CostSource,
    SlowSmall,
    SlowSmallCause,
    ErrorClass,
}

/// Whether a span is to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It owns the usage of a call.
    Owner,
    /// A call of a model that failed before there was any usage.
    Failed,
    /// It tells of a call that another span stands for, or of none.
    Other,
}

/// Reads calls.
#[derive(Debug)]
pub(super) struct Plan {
    keys: KeyTable,
    dimensions: Vec<DimensionConfig>,
}

/// A span, with its attributes by number.
#[derive(Debug)]
pub(super) struct Call<'p, 'a> {
    plan: &'p Plan,
    guesses: Guesses,
    pub(super) trace_id: &'a [u8],
    pub(super) span_id: &'a [u8],
    pub(super) parent_id: &'a [u8],
    start: u64,
    end: u64,
    status: StatusRef<'a>,
    values: Vec<Option<ValueRef<'a>>>,
}

// === impl Plan ===

impl Plan {
    pub(super) fn new(config: &Config) -> Self {
        let names = ATTRIBUTES.into_iter().chain(config.dimensions.iter().map(|dimension| dimension.name.as_str()));
        Self { keys: KeyTable::new(names), dimensions: config.dimensions.clone() }
    }

    pub(super) fn call<'a>(&self) -> Call<'_, 'a> {
        let guesses = Guesses::default();
        Call {
            plan: self,
            guesses,
            trace_id: &[],
            span_id: &[],
            parent_id: &[],
            start: 0,
            end: 0,
            status: StatusRef::default(),
            values: Vec::new(),
        }
    }

    /// Values of the resource, by number.
    pub(super) fn of_resource<'a>(&self, attributes: spanmill_otlp::Attributes<'a>) -> Vec<Option<ValueRef<'a>>> {
        let mut values = vec![None; self.keys.len()];
        for Attribute { key, value, .. } in attributes {
            if let Some(kept @ None) = self.keys.get(key).and_then(|slot| values.get_mut(usize::from(slot))) {
                *kept = Some(value);
            }
        }
        values
    }
}

// === impl Call ===

impl<'a> Call<'_, 'a> {
    /// Reads a span; says whether it is to be counted.
    pub(super) fn read(&mut self, span: SpanRef<'a>) -> Standing {
        (self.trace_id, self.span_id, self.parent_id, self.start, self.end) = (&[], &[], &[], 0, 0);
        self.status = StatusRef::default();
        self.values.clear();
        self.values.resize(self.plan.keys.len(), None);
        self.guesses.restart();
        span.message().visit(9, self);
        match self.text(Part::Role) {
            Some(b"owner") => Standing::Owner,
            None if self.error().is_some() && self.text(Part::Operation).is_some_and(|it| OF_MODELS.contains(&it)) => {
                Standing::Failed
            }
            _ => Standing::Other,
        }
    }

    /// Why it failed: in the instrumentation's words, or else by the class that the `genai` processor found, or else what the
    /// conventions have where nothing is known.
    pub(super) fn error(&self) -> Option<Cow<'a, [u8]>> {
        let told = match self.value(Part::ErrorType).map(|value| value.get()) {
            Some(AnyValue::Text(text)) if !text.is_empty() => Some(Cow::Borrowed(text)),
            Some(AnyValue::Int(status)) => Some(Cow::Owned(status.to_string().into_bytes())),
            _ => self.text(Part::ErrorClass).map(Cow::Borrowed),
        };
        told.or_else(|| (self.status.code == STATUS_ERROR).then_some(Cow::Borrowed(b"_OTHER")))
    }

    /// How long it took.
    pub(super) fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1e9
    }

    pub(super) fn value(&self, part: Part) -> Option<ValueRef<'a>> {
        self.values.get(part as usize).copied().flatten()
    }

    pub(super) fn text(&self, part: Part) -> Option<&'a [u8]> {
        match self.value(part)?.get() {
            AnyValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number that is not below zero.
    pub(super) fn number(&self, part: Part) -> Option<f64> {
        let number = match self.value(part)?.get() {
            AnyValue::Int(number) => number as f64,
            AnyValue::Double(number) => number,
            _ => return None,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    pub(super) fn is_true(&self, part: Part) -> bool {
        self.value(part).is_some_and(|value| value.get() == AnyValue::Bool(true))
    }

    /// Writes what tells series of one metric apart, but for what only some metrics have.
    pub(super) fn put_key(&self, key: &mut Vec<u8>, resource: &[Option<ValueRef<'a>>]) {
        for value in self.values.iter().take(COMMON) {
            put_value(key, *value);
        }
        for (dimension, value) in self.dimensions(resource) {
            match (value, &dimension.default) {
                (None, Some(default)) => push_typed_text(key, default.as_bytes()),
                (value, _) => put_value(key, value),
            }
        }
    }

    /// The attributes of a new series, but for those that only some metrics have.
    pub(super) fn attributes(&self, resource: &[Option<ValueRef<'a>>]) -> Vec<KeyValue> {
        let common = ATTRIBUTES.iter().zip(&self.values).take(COMMON);
        let mut attributes: Vec<KeyValue> =
            common.filter_map(|(name, value)| Some(key_value(name.as_bytes(), (*value)?))).collect();
        for (dimension, value) in self.dimensions(resource) {
            match (value, &dimension.default) {
                (Some(value), _) => attributes.push(key_value(dimension.name.as_bytes(), value)),
                (None, Some(default)) => attributes.push(text_attribute(&dimension.name, default.as_bytes())),
                (None, None) => {}
            }
        }
        attributes
    }

    /// The configured attributes, of the span or else of the resource.
    fn dimensions<'r>(
        &'r self,
        resource: &'r [Option<ValueRef<'a>>],
    ) -> impl Iterator<Item = (&'r DimensionConfig, Option<ValueRef<'a>>)> {
        let values = self.values.iter().zip(resource).skip(ATTRIBUTES.len());
        self.plan.dimensions.iter().zip(values.map(|(own, other)| own.or(*other)))
    }
}

fn put_value(key: &mut Vec<u8>, value: Option<ValueRef<'_>>) {
    match value {
        Some(value) => push_typed(key, value),
        None => key.push(u8::MAX),
    }
}

impl<'a> Visitor<'a> for Call<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, body: &'a [u8], pos: Pos) -> ControlFlow<()> {
        let Attribute { key, value, .. } = Attribute::read(body, pos);
        if let Some(slot) = self.plan.keys.get_next(key, &mut self.guesses)
            && let Some(kept @ None) = self.values.get_mut(usize::from(slot))
        {
            *kept = Some(value);
        }
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn field(&mut self, number: u32, payload: Payload<'a>, _: Pos) {
        match (number, payload) {
            (1, Payload::Bytes(id)) => self.trace_id = id,
            (2, Payload::Bytes(id)) => self.span_id = id,
            (4, Payload::Bytes(id)) => self.parent_id = id,
            (7, Payload::Fixed64(start)) => self.start = start,
            (8, Payload::Fixed64(end)) => self.end = end,
            (15, Payload::Bytes(status)) => self.status.merge(status),
            _ => {}
        }
    }
}
