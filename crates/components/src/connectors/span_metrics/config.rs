use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Duration, NullableBlock, Section};

use crate::connectors::metrics::Glob;

/// Options of the `span_metrics` connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Attributes of spans, or else of their resource, that become attributes of all metrics.
    pub(super) dimensions: Vec<DimensionConfig>,
    /// More of them for `calls`.
    pub(super) calls_dimensions: Vec<DimensionConfig>,
    /// Attributes that all metrics have by default and shall not have.
    pub(super) exclude_dimensions: Vec<String>,
    /// Means nothing any more.
    pub(super) dimensions_cache_size: i64,
    /// How many resources are kept from one interval to the next.
    pub(super) resource_metrics_cache_size: i64,
    /// Attributes that tell resources apart; all, where none are given.
    pub(super) resource_metrics_key_attributes: Vec<String>,
    /// `AGGREGATION_TEMPORALITY_DELTA`, or cumulative whatever else it says.
    pub(super) aggregation_temporality: String,
    /// The metric `duration`.
    pub(super) histogram: HistogramConfig,
    /// How often metrics are sent.
    pub(super) metrics_flush_interval: Duration,
    /// How long metrics of a resource are sent without any new span; 0 is for ever.
    pub(super) metrics_expiration: Duration,
    /// How long a series is sent without any new span; 0 is for ever.
    pub(super) series_expiration: Duration,
    /// How many series of delta metrics are remembered by when they were sent last.
    pub(super) metric_timestamp_cache_size: Option<i64>,
    /// What the names of metrics begin with.
    pub(super) namespace: String,
    /// Spans that stand for what is counted.
    pub(super) exemplars: ExemplarsConfig,
    /// The metric `events`.
    pub(super) events: EventsConfig,
    /// Names of scopes that become an attribute.
    pub(super) include_instrumentation_scope: Vec<String>,
    /// Most series of a resource and metric; what is more is counted as one series. 0 is no limit.
    pub(super) aggregation_cardinality_limit: i64,
    /// Resource attributes are always there, so this means nothing.
    pub(super) add_resource_attributes: bool,
    /// Adds `sampling.method`.
    pub(super) enable_metrics_sampling_method: bool,
}

/// An attribute by its name, or attributes by a pattern.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DimensionConfig {
    pub(super) name: String,
    /// The value where the attribute is missing.
    pub(super) default: Option<String>,
    pub(super) glob: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HistogramConfig {
    pub(super) disable: bool,
    pub(super) unit: Unit,
    pub(super) exponential: NullableBlock<ExponentialConfig>,
    pub(super) explicit: NullableBlock<ExplicitConfig>,
    /// More attributes, for `duration` alone.
    pub(super) dimensions: Vec<DimensionConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExponentialConfig {
    /// Most buckets; 0 stands for 160.
    pub(super) max_size: i32,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExplicitConfig {
    pub(super) buckets: Vec<Duration>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExemplarsConfig {
    pub(super) enabled: bool,
    pub(super) max_per_data_point: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventsConfig {
    pub(super) enabled: bool,
    pub(super) dimensions: Vec<DimensionConfig>,
}

/// Of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Unit {
    #[default]
    Milliseconds,
    Seconds,
}

/// The attributes that all metrics have.
pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SPAN_NAME: &str = "span.name";
pub(super) const SPAN_KIND: &str = "span.kind";
pub(super) const STATUS_CODE: &str = "status.code";
pub(super) const COLLECTOR_INSTANCE: &str = "collector.instance.id";

const BUCKETS_MS: [f64; 16] =
    [2.0, 4.0, 6.0, 8.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1000.0, 1400.0, 2000.0, 5000.0, 10_000.0, 15_000.0];

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        check_dimensions(section, "dimensions", &config.dimensions)?;
        check_dimensions(section, "calls_dimensions", &config.calls_dimensions)?;
        check_dimensions(section, "histogram::dimensions", &config.histogram.dimensions)?;
        if config.events.enabled {
            if config.events.dimensions.is_empty() {
                return Err(section.error("events::dimensions", "no dimensions configured for events"));
            }
            check_dimensions(section, "events::dimensions", &config.events.dimensions)?;
        }
        if config.histogram.explicit.is_on() && config.histogram.exponential.is_on() {
            return Err(section.error("histogram", "use either `explicit` or `exponential` buckets histogram"));
        }
        for (option, duration) in [
            ("metrics_flush_interval", config.metrics_flush_interval),
            ("metrics_expiration", config.metrics_expiration),
            ("series_expiration", config.series_expiration),
        ] {
            if duration.is_negative() {
                return Err(section.error(option, format!("invalid {option}: {duration}, it must not be negative")));
            }
        }
        if config.metrics_flush_interval.is_zero() {
            return Err(section.error("metrics_flush_interval", "must be more than zero"));
        }
        if config.is_delta() && config.timestamp_cache_size() == 0 {
            let message = "the maximum number of the items in the cache should be positive";
            return Err(section.error("metric_timestamp_cache_size", message));
        }
        if config.resource_metrics_cache_size <= 0 {
            return Err(section.error("resource_metrics_cache_size", "must provide a positive size"));
        }
        if config.aggregation_cardinality_limit < 0 {
            return Err(section.error("aggregation_cardinality_limit", "the limit should be positive"));
        }
        if config.exemplars.enabled && config.exemplars.max_per_data_point < 0 {
            return Err(section.error("exemplars::max_per_data_point", "the value should be positive"));
        }
        Ok(config)
    }

    pub(super) fn is_delta(&self) -> bool {
        self.aggregation_temporality == "AGGREGATION_TEMPORALITY_DELTA"
    }

    pub(super) fn timestamp_cache_size(&self) -> usize {
        usize::try_from(self.metric_timestamp_cache_size.unwrap_or(1000)).unwrap_or(0)
    }

    /// The bounds of buckets in the unit of the histogram.
    pub(super) fn bounds(&self) -> Vec<f64> {
        let unit = self.histogram.unit;
        match self.histogram.explicit.as_ref() {
            Some(explicit) => explicit.buckets.iter().map(|bucket| bucket.nanos() as f64 / unit.nanos()).collect(),
            None if unit == Unit::Seconds => BUCKETS_MS.iter().map(|bound| bound / 1000.0).collect(),
            None => BUCKETS_MS.to_vec(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dimensions: Vec::new(),
            calls_dimensions: Vec::new(),
            exclude_dimensions: Vec::new(),
            dimensions_cache_size: 0,
            resource_metrics_cache_size: 1000,
            resource_metrics_key_attributes: Vec::new(),
            aggregation_temporality: "AGGREGATION_TEMPORALITY_CUMULATIVE".to_owned(),
            histogram: HistogramConfig::default(),
            metrics_flush_interval: Duration::from_secs(60),
            metrics_expiration: Duration::ZERO,
            series_expiration: Duration::ZERO,
            metric_timestamp_cache_size: None,
            namespace: "traces.span.metrics".to_owned(),
            exemplars: ExemplarsConfig::default(),
            events: EventsConfig::default(),
            include_instrumentation_scope: Vec::new(),
            aggregation_cardinality_limit: 0,
            add_resource_attributes: false,
            enable_metrics_sampling_method: false,
        }
    }
}

/// Names must differ, from those of the attributes that are always there too, and no pattern may match one.
fn check_dimensions(section: &Section, path: &str, dimensions: &[DimensionConfig]) -> Result<(), ConfigError> {
    let mut names: BTreeSet<&str> =
        [SERVICE_NAME, SPAN_KIND, STATUS_CODE, SPAN_NAME, COLLECTOR_INSTANCE].into_iter().collect();
    let mut globs = Vec::new();
    for (index, dimension) in dimensions.iter().enumerate() {
        let error = |message: String| Err(section.error(&format!("{path}[{index}]"), message));
        let DimensionConfig { name, default, glob } = dimension;
        match (name.as_str(), glob.as_str()) {
            ("", "") => return error("dimension entry must set one of `name` or `glob`".to_owned()),
            (name, "") => {
                if !names.insert(name) {
                    return error(format!("duplicate dimension name {name:?}"));
                }
            }
            ("", glob) => {
                if default.is_some() {
                    return error(format!("`default` is not supported on `glob` dimension {glob:?}"));
                }
                match Glob::parse(glob) {
                    Ok(parsed) => globs.push((index, glob, parsed)),
                    Err(problem) => return error(format!("invalid dimension glob {glob:?}: {problem}")),
                }
            }
            (name, glob) => {
                let message = "dimension entry must set only one of `name` or `glob`, got both";
                return error(format!("{message}: name={name:?} glob={glob:?}"));
            }
        }
    }
    for (index, glob, parsed) in &globs {
        if let Some(name) = names.iter().find(|name| parsed.matches(name.as_bytes())) {
            let message = format!("duplicate dimension name {name:?} conflicting with glob {glob:?}");
            return Err(section.error(&format!("{path}[{index}]"), message));
        }
    }
    Ok(())
}

// === impl ExemplarsConfig ===

impl Default for ExemplarsConfig {
    fn default() -> Self {
        Self { enabled: false, max_per_data_point: 5 }
    }
}

// === impl Unit ===

impl Unit {
    /// As written in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
        }
    }

    /// How many nanoseconds it has.
    pub(super) fn nanos(self) -> f64 {
        match self {
            Self::Milliseconds => 1e6,
            Self::Seconds => 1e9,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.to_lowercase().as_str() {
            "ms" => Ok(Self::Milliseconds),
            "s" => Ok(Self::Seconds),
            other => {
                Err(serde::de::Error::custom(format!("unknown Unit {other:?}, allowed units are \"ms\" and \"s\"")))
            }
        }
    }
}
