//! What follows from a call's facts: rates, buckets and flags.

use crate::call::{Call, Role};
use crate::options::{OptionsError, SlowSmall};
use crate::vocabulary::Finish;

/// When a call is slow although it was small, compiled.
#[derive(Debug)]
pub(crate) struct SlowSmallRule {
    min_nanos: u64,
    max_input_tokens: i64,
    finish: Vec<Finish>,
}

/// What made a small call slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    SlowStart,
    SlowFinish,
    ToolLoop,
    Unknown,
}

/// Classes of input tokens for search by equality: each ends below a count.
pub(crate) const BUCKETS: [(i64, &str); 6] = [
    (1_000, "0-1k"),
    (2_000, "1k-2k"),
    (8_000, "2k-8k"),
    (32_000, "8k-32k"),
    (128_000, "32k-128k"),
    (i64::MAX, "128k+"),
];

/// How often the same tool with the same arguments makes a loop.
pub(crate) const LOOP: u32 = 3;

// === impl Cause ===

impl Cause {
    pub(crate) const ALL: [Self; 4] = [Self::SlowStart, Self::SlowFinish, Self::ToolLoop, Self::Unknown];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SlowStart => "slow_start",
            Self::SlowFinish => "slow_finish",
            Self::ToolLoop => "tool_loop",
            Self::Unknown => "unknown",
        }
    }
}

// === impl SlowSmallRule ===

impl SlowSmallRule {
    pub(crate) fn new(options: &SlowSmall) -> Result<Self, OptionsError> {
        let finish = options
            .finish_reasons
            .iter()
            .map(|word| Finish::from_name(word).ok_or_else(|| OptionsError::UnknownFinishReason(word.clone())));
        Ok(Self {
            min_nanos: u64::try_from(options.min_duration.as_nanos()).unwrap_or(u64::MAX),
            max_input_tokens: options.max_input_tokens,
            finish: finish.collect::<Result<_, _>>()?,
        })
    }

    /// The cause where the call is one.
    pub(crate) fn cause(&self, call: &Call<'_>) -> Option<Cause> {
        let small = call.input.is_some_and(|input| input < self.max_input_tokens);
        if call.role != Role::Owner || call.longest < self.min_nanos || !small || !self.finish.contains(&ending(call)) {
            return None;
        }
        let nanos = call.longest as f64;
        Some(match call.ttft {
            _ if call.loops >= LOOP => Cause::ToolLoop,
            Some(ttft) if ttft * 1e9 >= nanos / 2.0 => Cause::SlowStart,
            Some(_) => Cause::SlowFinish,
            None => Cause::Unknown,
        })
    }
}

fn ending(call: &Call<'_>) -> Finish {
    match call.finish {
        Some(finish) => finish,
        None if call.failed => Finish::Error,
        None if call.tool_calls => Finish::ToolCall,
        None => Finish::Stop,
    }
}

/// Output tokens a second over the whole span.
pub(crate) fn tokens_per_second(call: &Call<'_>) -> Option<f64> {
    rate(call.output?, call.longest as f64 / 1e9)
}

/// Output tokens a second after the first one.
pub(crate) fn generation_rate(call: &Call<'_>) -> Option<f64> {
    rate(call.output?, call.longest as f64 / 1e9 - call.ttft?)
}

/// Seconds an output token, after the first one.
pub(crate) fn time_per_output_token(call: &Call<'_>) -> Option<f64> {
    let (rest, after) = (call.output? - 1, call.longest as f64 / 1e9 - call.ttft?);
    (rest > 0 && after >= 0.0).then(|| after / rest as f64)
}

/// Output tokens an input token.
pub(crate) fn output_input_ratio(call: &Call<'_>) -> Option<f64> {
    share(call.output?, call.input?)
}

/// The share of the input that was read from a cache.
pub(crate) fn cache_hit_ratio(call: &Call<'_>) -> Option<f64> {
    share(call.cache_read?, call.input?)
}

/// The share of the model's context window that the input filled.
pub(crate) fn context_used(call: &Call<'_>, context: Option<i64>) -> Option<f64> {
    share(call.input?, context?)
}

fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn rate(tokens: i64, seconds: f64) -> Option<f64> {
    // Below a microsecond the clock, not the model, would be measured.
    (seconds > 1e-6).then(|| tokens as f64 / seconds)
}
