//! The words that telemetry is brought to.

use serde::Deserialize;

/// Number of an operation in the vocabulary; see [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Not said.
    Absent,
    /// A word of its own, kept as it is.
    Custom,
    /// A known one.
    Known(u8),
}

/// What a span of an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    /// One call of a model.
    Model,
    /// Something that repeats the usage of what happens below it.
    Rollup,
    /// One call of a tool.
    Tool,
    /// Anything else.
    Other,
}

/// The canonical finish reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    ContentFilter,
    ToolCall,
    Error,
}

/// The classes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    RateLimit,
    Overloaded,
    Quota,
    Timeout,
    Auth,
    InvalidRequest,
    ContextLength,
    ContentFilter,
    NotFound,
    Server,
    Network,
    Cancelled,
    Other,
}

// === impl Operation ===

impl Operation {
    pub(crate) fn is_absent(self) -> bool {
        self == Self::Absent
    }
}

// === impl Finish ===

impl Finish {
    pub(crate) const ALL: [Self; 5] = [Self::Stop, Self::Length, Self::ContentFilter, Self::ToolCall, Self::Error];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::ToolCall => "tool_call",
            Self::Error => "error",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finish| finish.name() == name)
    }
}

// === impl ErrorClass ===

impl ErrorClass {
    pub(crate) const ALL: [Self; 13] = [
        Self::RateLimit,
        Self::Overloaded,
        Self::Quota,
        Self::Timeout,
        Self::Auth,
        Self::InvalidRequest,
        Self::ContextLength,
        Self::ContentFilter,
        Self::NotFound,
        Self::Server,
        Self::Network,
        Self::Cancelled,
        Self::Other,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Quota => "quota",
            Self::Timeout => "timeout",
            Self::Auth => "auth",
            Self::InvalidRequest => "invalid_request",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::NotFound => "not_found",
            Self::Server => "server",
            Self::Network => "network",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}
