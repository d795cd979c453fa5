//! What the engine can be told.

use std::time::Duration;

use thiserror::Error;

use crate::price::{PriceError, PriceOverride};

/// Options of an [`Engine`](crate::Engine).
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Names of the sources to recognise; none means all. Spans of others are read by their attribute names alone.
    pub sources: Option<Vec<String>>,
    /// Whether attributes are removed once their meaning stands under a standard name.
    pub remove_originals: bool,
    /// Whether messages, instructions and definitions of tools are brought to the form of the conventions.
    pub messages: bool,
    /// How much memory recent usage may take, in bytes.
    pub usage_memory: usize,
    /// What calls cost.
    pub pricing: Pricing,
    /// When a call counts as slow although it was small.
    pub slow_small: SlowSmall,
}

/// What calls cost, where the source does not say it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pricing {
    /// Where prices are from.
    pub table: PriceTable,
    /// Prices that come before those of the table.
    pub overrides: Vec<PriceOverride>,
}

/// Where prices are from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PriceTable {
    /// The table that spanmill has from the start.
    #[default]
    Builtin,
    /// No table: only overrides count.
    None,
    /// A table of the user's own, in the form of the built-in one.
    Text(String),
}

/// A call that is slow although it is small: it took long, had little input, and ended in one of these ways.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowSmall {
    /// At least this long.
    pub min_duration: Duration,
    /// Fewer input tokens than this.
    pub max_input_tokens: i64,
    /// Ways to end: `stop`, `length`, `tool_call`, `content_filter`, `error`. A call that does not say how it ended, did not
    /// fail and called no tool counts as `stop`.
    pub finish_reasons: Vec<String>,
}

/// Options that make no sense.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// A source that does not exist.
    #[error("sources: unknown source {name:?}; known are {known}")]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A finish reason that does not exist.
    #[error("slow_small: finish_reasons: unknown word {0:?}; known are stop, length, tool_call, content_filter, error")]
    UnknownFinishReason(String),
    /// A price, or a table of them, that makes no sense.
    #[error("pricing: {0}")]
    Price(#[from] PriceError),
    /// The built-in knowledge is wrong.
    #[error(transparent)]
    Catalogue(#[from] crate::catalogue::CatalogueError),
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            sources: None,
            remove_originals: false,
            messages: true,
            usage_memory: 12 << 20,
            pricing: Pricing::default(),
            slow_small: SlowSmall::default(),
        }
    }
}

// === impl SlowSmall ===

impl Default for SlowSmall {
    fn default() -> Self {
        Self { min_duration: Duration::from_secs(5), max_input_tokens: 2_000, finish_reasons: vec!["stop".to_owned()] }
    }
}
