use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Duration, NullableBlock, PipelineId, Section};
use spanmill_pipeline::ConsumeError;

use crate::exporters::sending::SendingQueue;

/// Options of the `failover` connector.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Pipelines by level, the best first. All pipelines of a level get the same data.
    pub(super) priority_levels: Vec<Vec<PipelineId>>,
    /// How often better levels are tried again while a lower one is in use; 10 minutes where it is not given.
    retry_interval: Option<Duration>,
    /// `standard`, the one that there is.
    strategy: Option<String>,
    /// Options of that strategy.
    standard: Standard,
    /// Which errors make it go to the next level; all of them where it is not given.
    pub(super) condition: NullableBlock<Conditions>,
    /// Deprecated and without effect: better levels are tried one after the other with the same request.
    retry_gap: Option<Duration>,
    /// Deprecated and without effect: better levels are always tried again.
    max_retries: Option<i64>,
    /// The queue before it.
    pub(super) sending_queue: SendingQueue,
}

/// Options of `standard`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Standard {
    /// Goes before the other `retry_interval`.
    retry_interval: Option<Duration>,
}

/// Options of `condition`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Conditions {
    /// On the error of a level.
    error: Option<ErrorCondition>,
}

/// Options of `condition::error`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ErrorCondition {
    /// Texts of which the error's has to contain one, in any case.
    contains: Texts,
    /// Whether the error has to be one that no retry helps against, or must not be one.
    permanent: Option<bool>,
}

/// One text or several.
#[derive(Debug, Clone, Default)]
struct Texts(Vec<String>);

struct TextsVisitor;

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.priority_levels.is_empty() {
            return Err(section.error("priority_levels", "No pipelines are defined in the priority list"));
        }
        for (option, interval) in
            [("retry_interval", config.retry_interval), ("standard::retry_interval", config.standard.retry_interval)]
        {
            if interval.is_some_and(|interval| interval.is_zero() || interval.is_negative()) {
                return Err(section.error(option, "Retry interval must be positive"));
            }
        }
        if config.strategy.as_ref().is_some_and(|strategy| strategy != "standard") {
            return Err(section.error("strategy", "strategy is invalid"));
        }
        if let Some(conditions) = config.condition.as_ref() {
            match &conditions.error {
                None => return Err(section.error("condition", "no condition is defined")),
                Some(ErrorCondition { contains: Texts(texts), permanent }) => {
                    if texts.iter().any(String::is_empty) || (texts.is_empty() && permanent.is_none()) {
                        let message = "error condition must define a non-empty 'contains' string";
                        return Err(section.error("condition::error", message));
                    }
                }
            }
        }
        config.sending_queue.check(section)?;
        Ok(config)
    }

    pub(super) fn retry_interval(&self) -> std::time::Duration {
        let given = self.standard.retry_interval.or(self.retry_interval);
        given.unwrap_or(Duration::from_secs(600)).to_std()
    }

    /// The options in use that are deprecated.
    pub(super) fn deprecated(&self) -> Vec<&'static str> {
        let options = [("retry_gap", self.retry_gap.is_some()), ("max_retries", self.max_retries.is_some())];
        options.into_iter().filter_map(|(name, used)| used.then_some(name)).collect()
    }
}

// === impl Conditions ===

impl Conditions {
    /// Whether the next level is to be tried after that error.
    pub(super) fn are_met(&self, error: &ConsumeError) -> bool {
        let Some(ErrorCondition { contains: Texts(texts), permanent }) = &self.error else { return true };
        let said = error.message.to_lowercase();
        let contained = texts.is_empty() || texts.iter().any(|text| said.contains(&text.to_lowercase()));
        contained && permanent.is_none_or(|permanent| permanent != error.retryable)
    }
}

// === impl Texts ===

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}
