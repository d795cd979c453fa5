use std::collections::HashSet;

use regex::bytes::Regex;
use spanmill_otlp::{AnyValue, ValueRef};

use super::{Candidate, PolicyError, Verdict};

/// Samples traces of which a resource or a span has an attribute that matches; or, inverted, of which none has.
#[derive(Debug)]
pub(in super::super) struct AttributePolicy {
    pub(super) key: String,
    pub(super) matcher: Matcher,
    pub(super) invert: bool,
}

/// Which values match. Values of another type count as the zero of the type, as in the Collector.
#[derive(Debug)]
pub(super) enum Matcher {
    Boolean(bool),
    /// Both bounds included.
    Number {
        min: i64,
        max: i64,
    },
    Texts(HashSet<Vec<u8>>),
    Patterns(Vec<Regex>),
}

// === impl AttributePolicy ===

impl AttributePolicy {
    pub(super) fn evaluate(&self, trace: &Candidate) -> Result<Verdict, PolicyError> {
        let traces = trace.traces()?;
        let met = traces.resources().any(|resource| {
            // Here a resource without the attribute differs from one whose attribute is empty.
            resource.attribute(&self.key).is_some_and(|value| self.matcher.matches(value))
                || resource.scopes().flat_map(|scope| scope.spans()).any(|span| {
                    let value = span.attribute(&self.key);
                    value.is_some_and(|value| self.matcher.looks_at(value) && self.matcher.matches(value))
                })
        });
        Ok(Verdict::sampled(met != self.invert))
    }
}

// === impl Matcher ===

impl Matcher {
    fn matches(&self, value: ValueRef<'_>) -> bool {
        match (self, value.get()) {
            (Self::Boolean(wanted), AnyValue::Bool(found)) => *wanted == found,
            (Self::Boolean(wanted), _) => !wanted,
            (Self::Number { min, max }, AnyValue::Int(found)) => (*min..=*max).contains(&found),
            (Self::Number { min, max }, _) => (*min..=*max).contains(&0),
            (Self::Texts(texts), AnyValue::Text(found)) => texts.contains(found),
            (Self::Texts(_), _) => false,
            (Self::Patterns(patterns), AnyValue::Text(found)) => patterns.iter().any(|pattern| pattern.is_match(found)),
            (Self::Patterns(patterns), _) => patterns.iter().any(|pattern| pattern.is_match(b"")),
        }
    }

    /// Whether it looks at that value of a span: empty texts are passed over.
    fn looks_at(&self, value: ValueRef<'_>) -> bool {
        match self {
            Self::Boolean(_) | Self::Number { .. } => true,
            Self::Texts(_) | Self::Patterns(_) => matches!(value.get(), AnyValue::Text(text) if !text.is_empty()),
        }
    }
}
