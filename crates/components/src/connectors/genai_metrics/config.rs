use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, NullableBlock, Section};

use crate::connectors::metrics::{LARGEST_MAX_SIZE, SMALLEST_MAX_SIZE};

/// Options of the `genai_metrics` connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Attributes of spans, or else of their resource, beside those of the conventions.
    pub(super) dimensions: Vec<DimensionConfig>,
    /// How often metrics are sent.
    pub(super) metrics_flush_interval: Duration,
    /// `cumulative` or `delta`.
    pub(super) temporality: Temporality,
    /// How long metrics of a resource are sent without any new call; 0 is for ever.
    pub(super) metrics_expiration: Duration,
    /// Most series of a resource and metric; what is more is counted as one series. 0 is no limit but that of all.
    pub(super) aggregation_cardinality_limit: u32,
    /// How many resources are kept from one interval to the next.
    pub(super) resource_metrics_cache_size: u32,
    /// Exponential buckets instead of the conventions' ones.
    pub(super) exponential: NullableBlock<ExponentialConfig>,
    /// Spans that stand for what is counted.
    pub(super) exemplars: ExemplarsConfig,
}

/// An attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DimensionConfig {
    pub(super) name: String,
    /// The value where it is missing.
    pub(super) default: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Temporality {
    #[default]
    Cumulative,
    Delta,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExponentialConfig {
    /// Most buckets.
    pub(super) max_size: i32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExemplarsConfig {
    pub(super) enabled: bool,
    pub(super) max_per_data_point: u32,
}

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        for (index, dimension) in config.dimensions.iter().enumerate() {
            let at = format!("dimensions[{index}]");
            if dimension.name.is_empty() {
                return Err(section.error(&at, "name must not be empty"));
            }
            let is_known = super::call::ATTRIBUTES.contains(&dimension.name.as_str());
            if is_known || config.dimensions.iter().take(index).any(|before| before.name == dimension.name) {
                return Err(section.error(&at, format!("duplicate dimension name {:?}", dimension.name)));
            }
        }
        if config.metrics_flush_interval.nanos() <= 0 {
            return Err(section.error("metrics_flush_interval", "must be more than zero"));
        }
        if config.metrics_expiration.is_negative() {
            return Err(section.error("metrics_expiration", "must not be negative"));
        }
        if config.resource_metrics_cache_size == 0 {
            return Err(section.error("resource_metrics_cache_size", "must be more than zero"));
        }
        if let Some(exponential) = config.exponential.as_ref()
            && !(SMALLEST_MAX_SIZE..=LARGEST_MAX_SIZE).contains(&exponential.max_size)
        {
            let message = format!("must be between {SMALLEST_MAX_SIZE} and {LARGEST_MAX_SIZE}");
            return Err(section.error("exponential::max_size", message));
        }
        Ok(config)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dimensions: Vec::new(),
            metrics_flush_interval: Duration::from_secs(60),
            temporality: Temporality::default(),
            metrics_expiration: Duration::ZERO,
            aggregation_cardinality_limit: 2000,
            resource_metrics_cache_size: 1000,
            exponential: NullableBlock::default(),
            exemplars: ExemplarsConfig::default(),
        }
    }
}

// === impl ExponentialConfig ===

impl Default for ExponentialConfig {
    fn default() -> Self {
        Self { max_size: crate::connectors::metrics::DEFAULT_MAX_SIZE }
    }
}

// === impl ExemplarsConfig ===

impl Default for ExemplarsConfig {
    fn default() -> Self {
        Self { enabled: true, max_per_data_point: 5 }
    }
}
