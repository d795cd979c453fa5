use serde::Deserialize;
use spanmill_config::{ByteSize, ConfigError, Duration, Section};
use spanmill_genai::{Options, PriceOverride, PriceTable, Pricing, SlowSmall};

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
    /// `convert` brings messages, instructions and definitions of tools to the form of the conventions; `keep` leaves them.
    pub(super) messages: Messages,
    /// How the owner of a call's usage is found.
    pub(super) usage: Usage,
    /// What calls cost.
    pub(super) pricing: PricingConfig,
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

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Messages {
    #[default]
    Convert,
    Keep,
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

/// What calls cost. A cost that the source reports is kept; for others it is computed from prices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PricingConfig {
    /// `builtin`, `none`, or a file in the form of the built-in table: provider, model and rates with tabs between, as in
    /// `openai<TAB>gpt-4o<TAB>in=2.5 out=10 read=1.25`. It is read at start and when the configuration is reloaded.
    pub(super) table: String,
    /// Prices that come before those of the table.
    pub(super) overrides: Vec<OverrideConfig>,
    /// Only `skip`: no cost attribute where the price is unknown.
    pub(super) unknown: String,
}

/// A price in US dollars a million tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideConfig {
    /// Provider, as `gen_ai.provider.name` has it; without it the price holds for any.
    pub(super) provider: Option<String>,
    /// Model, as spans name it.
    pub(super) model: String,
    /// A million input tokens.
    pub(super) input: f64,
    /// A million output tokens.
    #[serde(default)]
    pub(super) output: f64,
    /// A million input tokens read from a cache; without it, as input.
    pub(super) cache_read: Option<f64>,
    /// A million input tokens written to a cache; without it, as input.
    pub(super) cache_write: Option<f64>,
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
            messages: Messages::Convert,
            usage: Usage::default(),
            pricing: PricingConfig::default(),
            slow_small: SlowSmallConfig::default(),
        }
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self { memory: ByteSize::from_bytes(Options::default().usage_memory as u64), hold: Duration::ZERO }
    }
}

impl Default for PricingConfig {
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
            messages: config.messages == Messages::Convert,
            usage_memory: usize::try_from(config.usage.memory.bytes()).unwrap_or(usize::MAX),
            pricing: config.pricing.read(section)?,
            slow_small: SlowSmall {
                min_duration: config.slow_small.min_duration.to_std(),
                max_input_tokens: i64::from(config.slow_small.max_input_tokens),
                finish_reasons: config.slow_small.finish_reasons,
            },
        })
    }
}

// === impl PricingConfig ===

impl PricingConfig {
    fn read(self, section: &Section) -> Result<Pricing, ConfigError> {
        let table = match self.table.as_str() {
            "builtin" => PriceTable::Builtin,
            "none" => PriceTable::None,
            file => {
                let read = std::fs::read_to_string(file);
                PriceTable::Text(read.map_err(|error| section.error("pricing::table", format!("{file}: {error}")))?)
            }
        };
        let price = |OverrideConfig { provider, model, input, output, cache_read, cache_write }| PriceOverride {
            provider,
            model,
            input,
            output,
            cache_read,
            cache_write,
        };
        Ok(Pricing { table, overrides: self.overrides.into_iter().map(price).collect() })
    }
}
