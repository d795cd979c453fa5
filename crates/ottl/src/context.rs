//! The contexts in which an expression can be evaluated, and what can be named in each.

use std::fmt;
use std::str::FromStr;

use spanmill_otlp::Signal;

use crate::symbols;

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
    /// Once a log record.
    Log,
    /// Once a metric.
    Metric,
    /// Once a point of a metric.
    DataPoint,
}

/// A text that names no context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown context {0:?}, valid are resource, scope, span, spanevent, log, metric and datapoint")]
pub struct UnknownContext(String);

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Resource,
    Scope,
    Span,
    SpanEvent,
    Log,
    Metric,
    DataPoint,
    /// What is known about the client that sent the data.
    Collector,
}

// === impl Context ===

impl Context {
    const ALL: [Self; 7] =
        [Self::Resource, Self::Scope, Self::Span, Self::SpanEvent, Self::Log, Self::Metric, Self::DataPoint];

    /// The contexts that there are for a signal; the first that fits is chosen where the text does not say.
    pub fn of(signal: Signal) -> &'static [Self] {
        match signal {
            Signal::Traces => &[Self::SpanEvent, Self::Span, Self::Scope, Self::Resource],
            Signal::Logs => &[Self::Log, Self::Scope, Self::Resource],
            Signal::Metrics => &[Self::DataPoint, Self::Metric, Self::Scope, Self::Resource],
        }
    }

    /// As written in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
            Self::Log => "log",
            Self::Metric => "metric",
            Self::DataPoint => "datapoint",
        }
    }

    pub(crate) fn root(self) -> Root {
        match self {
            Self::Resource => Root::Resource,
            Self::Scope => Root::Scope,
            Self::Span => Root::Span,
            Self::SpanEvent => Root::SpanEvent,
            Self::Log => Root::Log,
            Self::Metric => Root::Metric,
            Self::DataPoint => Root::DataPoint,
        }
    }

    /// The prefixes that a path may have here.
    pub(crate) fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Resource => &["resource", "otelcol"],
            Self::Scope => &["scope", "resource", "otelcol"],
            Self::Span => &["span", "resource", "scope", "instrumentation_scope", "otelcol"],
            Self::SpanEvent => &["spanevent", "span", "resource", "scope", "instrumentation_scope", "otelcol"],
            Self::Log => &["log", "resource", "scope", "instrumentation_scope", "otelcol"],
            Self::Metric => &["metric", "resource", "scope", "instrumentation_scope", "otelcol"],
            Self::DataPoint => &["datapoint", "metric", "resource", "scope", "instrumentation_scope", "otelcol"],
        }
    }

    /// Whether a path without a declared prefix may begin with the name of this context.
    pub(crate) fn reaches(self, prefix: &str) -> bool {
        self.prefixes().contains(&prefix)
    }

    /// The number of an enum such as `STATUS_CODE_ERROR`.
    pub(crate) fn symbol(self, name: &str) -> Option<i64> {
        self.all_symbols().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The enums of this context.
    pub(crate) fn symbols(self) -> impl Iterator<Item = &'static str> {
        self.all_symbols().map(|(name, _)| name)
    }

    fn all_symbols(self) -> impl Iterator<Item = (&'static str, i64)> {
        let tables: &[&[(&str, i64)]] = match self {
            Self::Resource | Self::Scope => &[],
            Self::Span | Self::SpanEvent => &[symbols::SPAN],
            Self::Log => &[symbols::LOG],
            Self::Metric => &[symbols::METRIC],
            Self::DataPoint => &[symbols::METRIC, symbols::POINT],
        };
        tables.iter().flat_map(|table| table.iter().copied())
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
            "log" => Self::Log,
            "metric" => Self::Metric,
            "datapoint" => Self::DataPoint,
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
            Self::Log => "log",
            Self::Metric => "metric",
            Self::DataPoint => "datapoint",
            Self::Collector => "otelcol",
        }
    }
}
