use serde::Deserialize;
use spanmill_config::{ConfigError, Section};

use super::super::sampling::Threshold;
use super::sampler::Sampler;

/// Options of the `probabilistic_sampler` processor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// How many of a hundred traces are kept. 100 and more keeps all, 0 none.
    sampling_percentage: f32,
    /// Mixed into the hash of mode `hash_seed`. Collectors in a row that sample differently need different ones. Only its lower 32 bits
    /// count, as in the Collector.
    hash_seed: u64,
    /// `hash_seed`, `equalizing` or `proportional`.
    mode: String,
    /// Whether spans are dropped that cannot be decided on, such as ones without a trace id.
    fail_closed: bool,
    /// Hex digits of the threshold that is written to `tracestate`, 1 to 14.
    sampling_precision: i64,
    /// For logs only; read past.
    attribute_source: String,
    /// For logs only; read past.
    from_attribute: String,
    /// For logs only; read past.
    sampling_priority: String,
}

/// Hash buckets in mode `hash_seed`.
const BUCKETS: u64 = 0x4000;

/// Hash buckets of one per cent.
const BUCKETS_OF_PERCENT: f32 = 163.84;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            sampling_percentage: 0.0,
            hash_seed: 0,
            mode: String::new(),
            fail_closed: true,
            sampling_precision: 4,
            attribute_source: "traceID".to_owned(),
            from_attribute: String::new(),
            sampling_priority: String::new(),
        }
    }
}

impl Config {
    fn check(&self, section: &Section) -> Result<(), ConfigError> {
        let percentage = self.sampling_percentage;
        let ratio = f64::from(percentage) / 100.0;
        let refuse = |option, message: String| Err(section.error(option, message));
        if !percentage.is_finite() {
            return refuse("sampling_percentage", format!("sampling rate is invalid: {percentage}%"));
        }
        if ratio < 0.0 {
            return refuse("sampling_percentage", format!("sampling rate is negative: {percentage}%"));
        }
        if ratio > 0.0 && ratio < Threshold::LEAST_PROBABILITY {
            return refuse("sampling_percentage", format!("sampling rate is too small: {percentage}%"));
        }
        if !matches!(self.attribute_source.as_str(), "" | "traceID" | "record") {
            let given = &self.attribute_source;
            return refuse(
                "attribute_source",
                format!("unknown attribute source {given:?}, valid are traceID and record"),
            );
        }
        if self.sampling_precision == 0 || self.sampling_precision > 14 {
            let given = self.sampling_precision;
            return refuse("sampling_precision", format!("expected 1 to 14 hex digits, found {given}"));
        }
        Ok(())
    }
}

/// Reads the configuration: how to sample, and whether spans are dropped that cannot be decided on.
pub(super) fn read(section: &Section) -> Result<(Sampler, bool), ConfigError> {
    let config: Config = section.parse()?;
    config.check(section)?;
    let percentage = config.sampling_percentage.min(100.0);
    // Widened first: a hundredth of a single-precision number would lose digits.
    let ratio = f64::from(percentage) / 100.0;
    let none = percentage == 0.0;
    let sampler = match config.mode.as_str() {
        "hash_seed" | "" => {
            // In single precision and rounded down, as it always was: the same traces must be kept.
            match (percentage * BUCKETS_OF_PERCENT) as u64 {
                0 => Sampler::Never,
                accepted => {
                    let threshold = Threshold::rejecting((BUCKETS - accepted) << 42);
                    Sampler::Hashing { seed: config.hash_seed as u32, threshold }
                }
            }
        }
        "equalizing" | "proportional" if none => Sampler::Never,
        "equalizing" => {
            let threshold = Threshold::of_probability(ratio, config.sampling_precision);
            Sampler::Equalizing { threshold: threshold.unwrap_or(Threshold::ALWAYS) }
        }
        "proportional" => Sampler::Proportional { ratio, digits: config.sampling_precision },
        other => {
            let message = format!("unknown mode {other:?}, valid are hash_seed, equalizing and proportional");
            return Err(section.error("mode", message));
        }
    };
    Ok((sampler, config.fail_closed))
}
