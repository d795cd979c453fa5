//! The four contexts in which an expression can be evaluated, and what can be named in each.

use std::fmt;
use std::str::FromStr;

/// What an expression is evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Once a resource.
    Resource,
    /// Once a scope.
    Scope,
    /// Once a span.
    Span,
    /// Once an event of a span.
    SpanEvent,
}

/// A text that names no context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown context {0:?}, valid are resource, scope, span and spanevent")]
pub struct UnknownContext(String);

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Resource,
    Scope,
    Span,
    SpanEvent,
    /// What is known about the client that sent the data.
    Collector,
}

// === impl Context ===

impl Context {
    /// All contexts; the first that fits is chosen where the text does not say.
    pub const ALL: [Self; 4] = [Self::SpanEvent, Self::Span, Self::Scope, Self::Resource];

    /// As written in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
        }
    }

    pub(crate) fn root(self) -> Root {
        match self {
            Self::Resource => Root::Resource,
            Self::Scope => Root::Scope,
            Self::Span => Root::Span,
            Self::SpanEvent => Root::SpanEvent,
        }
    }

    /// The prefixes that a path may have here.
    pub(crate) fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Resource => &["resource", "otelcol"],
            Self::Scope => &["scope", "resource", "otelcol"],
            Self::Span => &["span", "resource", "scope", "instrumentation_scope", "otelcol"],
            Self::SpanEvent => &["spanevent", "span", "resource", "scope", "instrumentation_scope", "otelcol"],
        }
    }

    /// Whether a path without a declared prefix may begin with the name of this context.
    pub(crate) fn reaches(self, prefix: &str) -> bool {
        self.prefixes().contains(&prefix)
    }

    /// The number of an enum such as `STATUS_CODE_ERROR`.
    pub(crate) fn symbol(self, name: &str) -> Option<i64> {
        match self {
            Self::Resource | Self::Scope => None,
            Self::Span | Self::SpanEvent => SYMBOLS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
        }
    }

    /// The enums of this context.
    pub(crate) fn symbols(self) -> impl Iterator<Item = &'static str> {
        let any = matches!(self, Self::Span | Self::SpanEvent);
        SYMBOLS.iter().filter(move |_| any).map(|(name, _)| *name)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Context {
    type Err = UnknownContext;

    fn from_str(text: &str) -> Result<Self, UnknownContext> {
        let found = Self::ALL.into_iter().find(|context| text.eq_ignore_ascii_case(context.name()));
        found.ok_or_else(|| UnknownContext(text.to_owned()))
    }
}

// === impl Root ===

impl Root {
    pub(crate) fn of_prefix(prefix: &str) -> Option<Self> {
        Some(match prefix {
            "resource" => Self::Resource,
            "scope" | "instrumentation_scope" => Self::Scope,
            "span" => Self::Span,
            "spanevent" => Self::SpanEvent,
            "otelcol" => Self::Collector,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
            Self::Collector => "otelcol",
        }
    }
}

const SYMBOLS: &[(&str, i64)] = &[
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
    ("STATUS_CODE_UNSET", 0),
    ("STATUS_CODE_OK", 1),
    ("STATUS_CODE_ERROR", 2),
];
