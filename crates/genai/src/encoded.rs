//! Attributes with fixed values, encoded once at start: writing one is copying it.

use spanmill_otlp::{Part, Value, encode_attribute};

use crate::call::Role;
use crate::catalogue::{Catalogue, SourceIx};
use crate::derive::{BUCKETS, Cause};
use crate::vocabulary::{ErrorClass, Finish};
use crate::write::names;

/// Encoded attributes of spans.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// By source and role: the two attributes that nearly every GenAI span gets.
    heads: Vec<[Vec<u8>; Role::ALL.len()]>,
    finish: Vec<Vec<u8>>,
    errors: Vec<Vec<u8>>,
    buckets: Vec<Vec<u8>>,
    causes: Vec<Vec<u8>>,
    pub(crate) tool_loop: Vec<u8>,
    /// Doubles, of which the value is put in later.
    pub(crate) tokens_per_second: Vec<u8>,
    pub(crate) generation_rate: Vec<u8>,
    pub(crate) time_per_output_token: Vec<u8>,
    pub(crate) output_input_ratio: Vec<u8>,
    pub(crate) cache_hit_ratio: Vec<u8>,
    pub(crate) context_used: Vec<u8>,
    /// A cost that was computed here, behind what else is said of it.
    pub(crate) cost: Vec<u8>,
    /// An integer, of which the value is put in later.
    pub(crate) total_tokens: Vec<u8>,
}

// === impl Encoded ===

impl Encoded {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let text = |key, text| encode_attribute(Part::Span, key, Value::Str(text));
        let double = |key| encode_attribute(Part::Span, key, Value::Double(0.0));
        let flag = |key| encode_attribute(Part::Span, key, Value::Bool(true));
        let sources = catalogue.sources.iter().map(|source| &*source.name).chain(["unknown"]);
        let head = |source| {
            Role::ALL.map(|role| match role {
                Role::None => text(names::SOURCE, source),
                role => [text(names::SOURCE, source), text(names::ROLE, role.name())].concat(),
            })
        };
        let cause = |cause: Cause| [flag(names::SLOW_SMALL), text(names::SLOW_SMALL_CAUSE, cause.name())].concat();
        Self {
            heads: sources.map(head).collect(),
            finish: Finish::ALL.into_iter().map(|finish| text(names::FINISH, finish.name())).collect(),
            errors: ErrorClass::ALL.into_iter().map(|class| text(names::ERROR_CLASS, class.name())).collect(),
            buckets: BUCKETS.iter().map(|(_, name)| text(names::INPUT_BUCKET, *name)).collect(),
            causes: Cause::ALL.into_iter().map(cause).collect(),
            tool_loop: flag(names::TOOL_LOOP),
            tokens_per_second: double(names::TOKENS_PER_SECOND),
            generation_rate: double(names::GENERATION_RATE),
            time_per_output_token: double(names::TIME_PER_OUTPUT_TOKEN),
            output_input_ratio: double(names::OUTPUT_INPUT_RATIO),
            cache_hit_ratio: double(names::CACHE_HIT_RATIO),
            context_used: double(names::CONTEXT_USED),
            cost: [text(names::COST_CURRENCY, "USD"), text(names::COST_SOURCE, "estimated"), double(names::COST)]
                .concat(),
            total_tokens: encode_attribute(Part::Span, names::TOTAL_TOKENS, Value::Int(0)),
        }
    }

    /// `spanmill.source`, and `spanmill.usage.role` where there is a role.
    pub(crate) fn head(&self, source: SourceIx, role: Role) -> &[u8] {
        let heads = self.heads.get(usize::from(source)).or(self.heads.last());
        heads.and_then(|heads| heads.get(role as usize)).map_or(&[], Vec::as_slice)
    }

    /// `spanmill.finish_reason`.
    pub(crate) fn finish(&self, finish: Finish) -> &[u8] {
        at(&self.finish, finish as usize)
    }

    /// `spanmill.error.class`.
    pub(crate) fn error(&self, class: ErrorClass) -> &[u8] {
        at(&self.errors, class as usize)
    }

    /// `spanmill.input_tokens.bucket`.
    pub(crate) fn bucket(&self, input: i64) -> &[u8] {
        at(&self.buckets, BUCKETS.iter().position(|(below, _)| input < *below).unwrap_or(BUCKETS.len() - 1))
    }

    /// `spanmill.slow_small` and its cause.
    pub(crate) fn slow_small(&self, cause: Cause) -> &[u8] {
        at(&self.causes, cause as usize)
    }
}

fn at(list: &[Vec<u8>], at: usize) -> &[u8] {
    list.get(at).map_or(&[], Vec::as_slice)
}
