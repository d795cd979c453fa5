use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ByteSize, ConfigError, Duration, Section};
use spanmill_genai::{Options, SlowSmall};

/// Options of the `genai` processor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Sources to recognise: `[all]`, or names. Spans of other sources are read by their attribute names alone.
    pub(super) sources: Vec<String>,
    /// Version of the GenAI semantic conventions that attributes are written in. Names of later versions are understood.
    pub(super) conventions: String,
    /// `keep` leaves the attributes that were read; `remove` takes them away once a standard one says the same.
    pub(super) originals: Originals,
    /// How the owner of a call's usage is found.
    pub(super) usage: Usage,
    /// What calls cost.
    pub(super) pricing: Pricing,
    /// When a call counts as slow although it was small.
    pub(super) slow_small: SlowSmallConfig,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Originals {
    #[default]
    Keep,
    Remove,
}

/// How the owner of a call's usage is found among the spans that carry it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Usage {
    /// How much memory recent usage may take; the oldest gives way.
    pub(super) memory: ByteSize,
    /// How long a trace is held until its owners are decided. Only `0s`: decided as spans pass.
    pub(super) hold: Duration,
}

/// What calls cost. A cost that the source reports is kept; none is computed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pricing {
    /// Only `builtin`.
    pub(super) table: String,
    /// Must be empty.
    pub(super) overrides: Vec<IgnoredAny>,
    /// Only `skip`: no cost attribute where the price is unknown.
    pub(super) unknown: String,
}

/// When a call counts as slow although it was small.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SlowSmallConfig {
    /// It took at least this long.
    pub(super) min_duration: Duration,
    /// It had fewer input tokens than this.
    pub(super) max_input_tokens: u32,
    /// It ended in one of these ways: `stop`, `length`, `tool_call`, `content_filter`, `error`.
    pub(super) finish_reasons: Vec<String>,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            sources: vec!["all".to_owned()],
            conventions: "1.41".to_owned(),
            originals: Originals::Keep,
            usage: Usage::default(),
            pricing: Pricing::default(),
            slow_small: SlowSmallConfig::default(),
        }
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self { memory: ByteSize::from_mib(16), hold: Duration::ZERO }
    }
}

impl Default for Pricing {
    fn default() -> Self {
        Self { table: "builtin".to_owned(), overrides: Vec::new(), unknown: "skip".to_owned() }
    }
}

impl Default for SlowSmallConfig {
    fn default() -> Self {
        let SlowSmall { finish_reasons, .. } = SlowSmall::default();
        Self { min_duration: Duration::from_millis(5_000), max_input_tokens: 2_000, finish_reasons }
    }
}

impl Config {
    /// Reads the section. Options that nothing acts upon are refused, rather than ignored.
    pub(super) fn read(section: &Section) -> Result<Options, ConfigError> {
        let config: Self = section.parse()?;
        if !matches!(config.conventions.as_str(), "1.41" | "1.41.1") {
            let message =
                format!("conventions {:?} cannot be written: the only version is \"1.41\"", config.conventions);
            return Err(section.error("conventions", message));
        }
        if !config.usage.hold.is_zero() {
            return Err(section.error("usage::hold", "holding traces is not supported: hold must be 0s"));
        }
        if config.usage.memory.bytes() < 1 << 20 {
            return Err(section.error("usage::memory", "memory must be at least 1MiB"));
        }
        if config.pricing.table != "builtin" {
            return Err(section.error("pricing::table", "price tables are not supported: table must be builtin"));
        }
        if !config.pricing.overrides.is_empty() {
            return Err(
                section.error("pricing::overrides", "price overrides are not supported: overrides must be empty")
            );
        }
        if config.pricing.unknown != "skip" {
            return Err(section.error("pricing::unknown", "unknown must be skip"));
        }
        if config.slow_small.min_duration.is_negative() {
            return Err(section.error("slow_small::min_duration", "min_duration must not be negative"));
        }
        let everything = config.sources.iter().any(|name| name == "all");
        if config.sources.is_empty() {
            return Err(section.error("sources", "sources must name at least one source, or be [all]"));
        }
        Ok(Options {
            sources: (!everything).then_some(config.sources),
            remove_originals: config.originals == Originals::Remove,
            usage_memory: usize::try_from(config.usage.memory.bytes()).unwrap_or(usize::MAX),
            slow_small: SlowSmall {
                min_duration: config.slow_small.min_duration.to_std(),
                max_input_tokens: i64::from(config.slow_small.max_input_tokens),
                finish_reasons: config.slow_small.finish_reasons,
            },
        })
    }
}
