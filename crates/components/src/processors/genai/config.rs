use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use spanmill_config::{ByteSize, ConfigError, Duration, Section};
use spanmill_genai::{Conventions, Options, OwnSource, PriceOverride, PriceTable, Pricing, SchemaUrl, SlowSmall};

use super::content::ContentConfig;
use super::flags::{FlagConfig, Flags};

/// What a section asks for.
pub(super) struct Config {
    pub(super) options: Options,
    pub(super) flags: Flags,
    pub(super) content: ContentConfig,
    pub(super) hold: Option<Hold>,
    /// The files that were read for it.
    pub(super) files: Vec<PathBuf>,
}

/// How traces are held.
pub(super) struct Hold {
    pub(super) wait: std::time::Duration,
    pub(super) most_bytes: usize,
}

/// Options of the `genai` processor, as they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    /// Sources to recognise: `[all]`, or names. Spans of other sources are read by their attribute names alone. Sources of the
    /// user's own stand there too, written out or as `{file: …}`; without any names they are added to all.
    sources: Vec<SourceItem>,
    /// Version of the GenAI semantic conventions that attributes are written in: `1.41` or `main`. Names of all versions are
    /// understood.
    pub(super) conventions: String,
    /// `fill` sets the schema URL of scopes that have none, `overwrite` of all scopes whose spans were normalised; `keep` leaves them.
    pub(super) schema_url: SchemaUrlConfig,
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
    /// Flags of the user's own, by name: `spanmill.<name>` is set to true on spans that meet the condition.
    pub(super) flags: BTreeMap<String, FlagConfig>,
    /// What is done with prompts, answers and other content.
    pub(super) content: ContentConfig,
}

/// One of `sources`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum SourceItem {
    Name(String),
    Own(serde_json::Map<String, serde_json::Value>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SchemaUrlConfig {
    #[default]
    Fill,
    Overwrite,
    Keep,
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
    /// How long a trace is held until its owners are decided, from its first span on. `0s`: decided as spans pass.
    pub(super) hold: Duration,
    /// How much may be held, in encoded bytes; beyond it the oldest traces are decided before their time.
    pub(super) hold_memory: ByteSize,
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

/// A price in US dollars a million tokens, or for one of what is charged by the piece.
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
    /// One search of the web that the provider makes; without it, calls with one have no cost.
    pub(super) web_search: Option<f64>,
    /// One search of files that the provider makes; without it, calls with one have no cost.
    pub(super) file_search: Option<f64>,
    /// One image of an answer; without it, images cost their tokens.
    pub(super) image: Option<f64>,
    /// The most input tokens that the model takes.
    pub(super) context: Option<u32>,
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

// === impl Given ===

impl Default for Given {
    fn default() -> Self {
        Self {
            sources: vec![SourceItem::Name("all".to_owned())],
            conventions: "1.41".to_owned(),
            schema_url: SchemaUrlConfig::Fill,
            originals: Originals::Keep,
            messages: Messages::Convert,
            usage: Usage::default(),
            pricing: PricingConfig::default(),
            slow_small: SlowSmallConfig::default(),
            flags: BTreeMap::new(),
            content: ContentConfig::default(),
        }
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            memory: ByteSize::from_bytes(Options::default().usage_memory as u64),
            hold: Duration::ZERO,
            hold_memory: ByteSize::from_bytes(64 << 20),
        }
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

// === impl Config ===

impl Config {
    /// Reads the section. Options that nothing acts upon are refused, rather than ignored.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Given = section.parse()?;
        let conventions = match config.conventions.as_str() {
            "1.41" | "1.41.1" => Conventions::V1_41,
            "main" => Conventions::Main,
            other => {
                let message = format!("conventions {other:?} cannot be written: it is \"1.41\" or \"main\"");
                return Err(section.error("conventions", message));
            }
        };
        if config.usage.hold.is_negative() {
            return Err(section.error("usage::hold", "hold must not be negative"));
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
        let files = config.files();
        let (names, own_sources) = sources(config.sources, section)?;
        let flags = Flags::read(&config.flags, section)?;
        let options = Options {
            sources: names,
            own_sources,
            conventions,
            schema_url: match config.schema_url {
                SchemaUrlConfig::Fill => SchemaUrl::Fill,
                SchemaUrlConfig::Overwrite => SchemaUrl::Overwrite,
                SchemaUrlConfig::Keep => SchemaUrl::Keep,
            },
            remove_originals: config.originals == Originals::Remove,
            messages: config.messages == Messages::Convert,
            usage_memory: usize::try_from(config.usage.memory.bytes()).unwrap_or(usize::MAX),
            pricing: config.pricing.read(section)?,
            slow_small: SlowSmall {
                min_duration: config.slow_small.min_duration.to_std(),
                max_input_tokens: i64::from(config.slow_small.max_input_tokens),
                finish_reasons: config.slow_small.finish_reasons,
            },
        };
        let hold = (!config.usage.hold.is_zero()).then(|| Hold {
            wait: config.usage.hold.to_std(),
            most_bytes: usize::try_from(config.usage.hold_memory.bytes()).unwrap_or(usize::MAX),
        });
        Ok(Self { options, flags, content: config.content, hold, files })
    }
}

/// Names of the sources to recognise, if not all, and sources of the user's own.
fn sources(items: Vec<SourceItem>, section: &Section) -> Result<(Option<Vec<String>>, Vec<OwnSource>), ConfigError> {
    let (mut names, mut own) = (Vec::new(), Vec::new());
    if items.is_empty() {
        return Err(section.error("sources", "sources must name at least one source, or be [all]"));
    }
    for (number, item) in items.into_iter().enumerate() {
        match item {
            SourceItem::Name(name) => names.push(name),
            SourceItem::Own(source) => own.push(own_source(number, &source, section)?),
        }
    }
    let everything = names.is_empty() || names.iter().any(|name| name == "all");
    Ok(((!everything).then_some(names), own))
}

/// The file that a source is in, where it is not written out.
fn file_of(source: &serde_json::Map<String, serde_json::Value>) -> Option<&str> {
    source.get("file").and_then(serde_json::Value::as_str).filter(|_| source.len() == 1)
}

fn own_source(
    number: usize,
    source: &serde_json::Map<String, serde_json::Value>,
    section: &Section,
) -> Result<OwnSource, ConfigError> {
    let Some(file) = file_of(source) else {
        // JSON is YAML.
        let yaml = serde_json::to_string(source).map_err(|error| section.error("sources", error))?;
        return Ok(OwnSource { place: format!("sources[{number}]"), yaml });
    };
    let yaml = std::fs::read_to_string(file).map_err(|error| section.error("sources", format!("{file}: {error}")))?;
    Ok(OwnSource { place: file.to_owned(), yaml })
}

// === impl Given ===

impl Given {
    /// The files that it names.
    fn files(&self) -> Vec<PathBuf> {
        let sources = self.sources.iter().filter_map(|item| match item {
            SourceItem::Own(source) => file_of(source),
            SourceItem::Name(_) => None,
        });
        let table = Some(self.pricing.table.as_str()).filter(|table| !matches!(*table, "builtin" | "none"));
        sources.chain(table).map(PathBuf::from).collect()
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
        let price = |given: OverrideConfig| PriceOverride {
            provider: given.provider,
            model: given.model,
            input: given.input,
            output: given.output,
            cache_read: given.cache_read,
            cache_write: given.cache_write,
            web_search: given.web_search,
            file_search: given.file_search,
            image: given.image,
            context: given.context,
        };
        Ok(Pricing { table, overrides: self.overrides.into_iter().map(price).collect() })
    }
}
