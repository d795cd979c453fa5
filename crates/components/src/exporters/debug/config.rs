use std::path::PathBuf;

use serde::Deserialize;
use spanmill_config::{ConfigError, OptionalBlock, Section};

/// Options of the `debug` exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How much is said: `basic` (a line of counts a batch), `normal` (a line an item as well) or `detailed` (every field).
    /// Default: `basic`.
    pub verbosity: Verbosity,
    /// How many equal messages are let through each second before thinning begins. Default: `2`.
    pub sampling_initial: i64,
    /// Of the equal messages after those, every how many-th is let through; `0` is none. Default: `1`, which is all.
    pub sampling_thereafter: i64,
    /// Whether messages go to spanmill's own log; otherwise to `output_paths`, without time and level. Default: `true`.
    pub use_internal_logger: bool,
    /// Files, `stdout` or `stderr`; only without the internal logger. Default: `[stdout]`.
    pub output_paths: Option<Vec<PathBuf>>,
    /// Not supported; only `enabled: false` is taken.
    pub sending_queue: OptionalBlock<NoQueue>,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Verbosity {
    /// A line of counts a batch.
    #[default]
    Basic,
    /// A line an item as well.
    Normal,
    /// Every field.
    Detailed,
}

/// A queue, which this exporter does not have.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct NoQueue {}

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.use_internal_logger && config.output_paths.is_some() {
            let message = "output_paths is not supported when use_internal_logger is true";
            return Err(section.error("output_paths", message));
        }
        if config.output_paths.as_ref().is_some_and(Vec::is_empty) {
            let message = "output_paths must not be empty when use_internal_logger is false";
            return Err(section.error("output_paths", message));
        }
        if config.sending_queue.is_on() {
            return Err(section.error("sending_queue", "sending_queue is not supported by this exporter"));
        }
        Ok(config)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::default(),
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: None,
            sending_queue: OptionalBlock::Off,
        }
    }
}

// === impl Verbosity ===

impl TryFrom<String> for Verbosity {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.to_ascii_lowercase().as_str() {
            "basic" => Ok(Self::Basic),
            "normal" => Ok(Self::Normal),
            "detailed" => Ok(Self::Detailed),
            _ => Err(format!("verbosity level {word:?} is not supported: expected basic, normal or detailed")),
        }
    }
}
