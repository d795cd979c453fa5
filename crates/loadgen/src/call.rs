use std::time::Duration;

use crate::catalogue::Provider;

/// What really happened in one call of a model.
#[derive(Debug, Clone)]
pub struct Call {
    /// The calling service.
    pub service: &'static str,
    /// Who was called, in the words of the semantic conventions.
    pub provider: &'static str,
    /// The model that was asked for.
    pub request_model: &'static str,
    /// The model that answered.
    pub response_model: &'static str,
    /// The trace it belongs to.
    pub trace_id: [u8; 16],
    /// When it began, in nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// How long it took.
    pub duration: Duration,
    /// When the first piece of a streamed answer arrived.
    pub time_to_first_token: Option<Duration>,
    /// Input tokens, those read from a cache included.
    pub input_tokens: u64,
    /// Those of them that were read from a cache.
    pub cached_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The provider's name for the response.
    pub response_id: String,
    /// How many further spans repeat its usage, because two instrumentations saw it.
    pub duplicates: usize,
    /// Whether it came after three or more equal tool calls of the same trace.
    pub(crate) looped: bool,
    pub(crate) kind: &'static Provider,
    pub(crate) prompt: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The answer is complete.
    Stop,
    /// The answer was cut at the limit of output tokens.
    Length,
    /// The model wants a tool to be called.
    ToolCalls,
    /// 429.
    RateLimited,
    /// 500.
    ServerError,
    /// Nothing came in time.
    TimedOut,
}

/// Why a slow small call was slow, as far as its spans tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Most of the time passed before the first piece of the answer.
    SlowStart,
    /// Most of the time passed after it.
    SlowFinish,
    /// The same tool was called again and again before.
    ToolLoop,
    /// The answer was not streamed.
    Unknown,
}

// === impl Call ===

impl Call {
    /// A call over that is slow: 5 s.
    pub const SLOW: Duration = Duration::from_secs(5);
    /// A call below that is small, in input tokens.
    pub const SMALL: u64 = 2000;

    /// Whether it took long.
    pub fn is_slow(&self) -> bool {
        self.duration > Self::SLOW
    }

    /// Why it was slow, if it was slow although it was small and ended cleanly.
    pub fn slow_small(&self) -> Option<Cause> {
        if !self.is_slow() || self.input_tokens >= Self::SMALL || self.outcome != Outcome::Stop {
            return None;
        }
        Some(match self.time_to_first_token {
            _ if self.looped => Cause::ToolLoop,
            Some(first) if first * 2 > self.duration => Cause::SlowStart,
            Some(_) => Cause::SlowFinish,
            None => Cause::Unknown,
        })
    }

    /// When it ended, in nanoseconds since 1970.
    pub fn end_unix_nano(&self) -> u64 {
        self.start_unix_nano + nanos(self.duration)
    }

    /// Input tokens that were not read from a cache.
    pub(crate) fn fresh_tokens(&self) -> u64 {
        self.input_tokens - self.cached_tokens
    }
}

/// A duration as spans count it.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

// === impl Outcome ===

impl Outcome {
    /// Whether there was an answer, and with it a count of tokens.
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Stop | Self::Length | Self::ToolCalls)
    }

    /// The status of the HTTP response, where there was one.
    pub fn http_status(self) -> Option<u64> {
        match self {
            Self::Stop | Self::Length | Self::ToolCalls => Some(200),
            Self::RateLimited => Some(429),
            Self::ServerError => Some(500),
            Self::TimedOut => None,
        }
    }
}

// === impl Cause ===

impl Cause {
    /// The value of `spanmill.slow_small.cause`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SlowStart => "slow_start",
            Self::SlowFinish => "slow_finish",
            Self::ToolLoop => "tool_loop",
            Self::Unknown => "unknown",
        }
    }
}
