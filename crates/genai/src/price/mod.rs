//! What calls cost: a table of prices, and how a model is found in it.

mod bill;
mod kind;
mod names;
mod rates;
mod tiers;
mod usage;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use thiserror::Error;

pub(crate) use bill::{Bill, PriceStory, Priced};
pub(crate) use rates::Rates;
pub(crate) use usage::{Service, Usage};

/// A table of prices by provider and model.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    rates: Vec<Rates>,
    providers: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    /// What was found for names that spans gave.
    found: Mutex<HashMap<Box<str>, Option<u32>>>,
}

/// A price that the user sets: US dollars a million tokens, or for one of what is charged by the piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceOverride {
    /// The provider, by its name in the conventions; none means any.
    pub provider: Option<String>,
    /// The model, as spans name it; upper and lower case are the same.
    pub model: String,
    /// A million input tokens.
    pub input: f64,
    /// A million output tokens.
    pub output: f64,
    /// A million input tokens read from a cache; none means as input.
    pub cache_read: Option<f64>,
    /// A million input tokens written to a cache; none means as input.
    pub cache_write: Option<f64>,
    /// One search of the web that the provider makes; none means that calls with one have no cost.
    pub web_search: Option<f64>,
    /// One search of files that the provider makes; none means that calls with one have no cost.
    pub file_search: Option<f64>,
    /// One image of an answer; none means that images cost their tokens.
    pub image: Option<f64>,
    /// The most input tokens that the model takes.
    pub context: Option<u32>,
}

/// A table of prices is wrong.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PriceError {
    /// A line that cannot be read.
    #[error("line {line}: {message}")]
    Line {
        /// From one.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A price that is none.
    #[error("the price of {model:?} is {price}: it must be a number that is not negative")]
    Price {
        /// Whose price it is.
        model: String,
        /// As given.
        price: String,
    },
}

/// The table that spanmill knows from the start; `prices/renew.py` renews it.
pub(crate) const BUILTIN: &str = include_str!("../../prices/prices.tsv");

/// Names beyond this many are looked up anew each time: they come from the outside.
const MOST_FOUND: usize = 1_024;

/// The provider of prices that hold for all.
const ANY: &str = "*";

// === impl Prices ===

impl Prices {
    /// Reads a table: a line a model, with provider, model and rates between tabs; lines that begin with `#` are comments.
    pub(crate) fn parse(table: &str) -> Result<Self, PriceError> {
        let mut prices = Self::default();
        let mut known: HashMap<&str, u32> = HashMap::new();
        for (number, line) in table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let wrong = |message: &str| PriceError::Line { line: number + 1, message: message.to_owned() };
            let mut parts = line.split('\t');
            let (Some(provider), Some(model), Some(text), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(wrong("expected provider, model and rates, with tabs between"));
            };
            // Many models share their rates.
            let at = match known.get(text) {
                Some(at) => *at,
                None => {
                    let rates = Rates::parse(text).map_err(|message| wrong(&message))?;
                    prices.rates.push(rates);
                    let at = prices.rates.len() as u32 - 1;
                    known.insert(text, at);
                    at
                }
            };
            prices.insert(provider, model, at);
        }
        Ok(prices)
    }

    /// Puts a user's price before those of the table.
    pub(crate) fn set(&mut self, price: &PriceOverride) -> Result<(), PriceError> {
        let rates = Rates::of(price)
            .map_err(|wrong| PriceError::Price { model: price.model.clone(), price: wrong.to_string() })?;
        self.rates.push(rates);
        let at = self.rates.len() as u32 - 1;
        self.insert(price.provider.as_deref().unwrap_or(ANY), &price.model, at);
        Ok(())
    }

    fn insert(&mut self, provider: &str, model: &str, at: u32) {
        // What was found before may have another price now.
        self.found.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        // Spellings that are looked up are in lower case.
        let model = if model.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            model.to_lowercase().into()
        } else {
            Box::from(model)
        };
        match self.providers.get_mut(provider) {
            Some(models) => _ = models.insert(model, at),
            None => _ = self.providers.insert(provider.into(), HashMap::from([(model, at)])),
        }
    }

    /// The rates of a model at a provider.
    pub(crate) fn find(&self, provider: &str, model: &str) -> Option<&Rates> {
        let key = [provider, "\0", model].concat();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match found.get(key.as_str()) {
            Some(at) => *at,
            None => {
                let at = self.search(provider, model).map(|(_, _, at)| at);
                if found.len() < MOST_FOUND {
                    found.insert(key.into(), at);
                }
                at
            }
        };
        self.rates.get(at? as usize)
    }

    /// Where the rates of a model stand: the provider, the spelling, and the rates.
    pub(crate) fn place(&self, provider: &str, model: &str) -> Option<(&str, String, &Rates)> {
        let (host, name, at) = self.search(provider, model)?;
        Some((host, name, self.rates.get(at as usize)?))
    }

    /// Tries all spellings of a model at all places where prices of a provider may stand.
    fn search(&self, provider: &str, model: &str) -> Option<(&str, String, u32)> {
        let spellings = names::spellings(model);
        let hosts = std::iter::once(ANY).chain(names::hosts(provider));
        hosts.filter_map(|host| self.providers.get_key_value(host)).find_map(|(host, models)| {
            spellings.iter().find_map(|name| Some((&**host, name.clone(), *models.get(name.as_str())?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn million(input: i64, output: i64) -> Usage {
        Usage { input, output, ..Usage::default() }
    }

    fn cost(prices: &Prices, provider: &str, model: &str, usage: Usage) -> Option<f64> {
        prices.find(provider, model)?.cost(usage, Service::Standard)
    }

    /// Scenario: the built-in table.
    /// Guarantees: it can be read, and models are found by the names that spans give them, at the price of their host.
    #[test]
    fn builtin_table() {
        let prices = Prices::parse(BUILTIN).unwrap();
        let usage = million(100_000, 100_000);
        for (provider, model, expected) in [
            ("openai", "gpt-4o", Some(1.25)),
            ("openai", "GPT-4o-2024-08-06", Some(1.25)),
            ("openai", "gpt-4o-2024-05-13", Some(2.0)),
            ("openai", "gpt-4o-2031-01-01", Some(1.25)),
            ("openai", "ft:gpt-4o-2024-08-06:acme::9xyz", Some(1.875)),
            ("anthropic", "claude-sonnet-4-5-20250929", Some(1.8)),
            ("anthropic", "claude-sonnet-4.5", Some(1.8)),
            ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some(1.98)),
            ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-6", Some(1.98)),
            ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", None),
            ("gcp.gemini", "models/gemini-2.5-pro", Some(1.125)),
            ("gcp.gen_ai", "gemini-2.5-pro", Some(1.125)),
            ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", Some(1.125)),
            ("openai", "my-own-model", None),
            ("nobody", "gpt-4o", None),
        ] {
            assert_eq!(cost(&prices, provider, model, usage), expected, "{provider} {model}");
        }
    }

    /// Scenario: a price for any provider and one for one provider, over a table.
    /// Guarantees: both come before the table; a price that is no number is refused by its model's name.
    #[test]
    fn overrides() {
        let mut prices = Prices::parse("openai\tGPT-9\tin=1 out=2\nopenai\tgpt-8\tin=1 out=2\n").unwrap();
        let price = PriceOverride { model: "My-GPT".to_owned(), input: 10.0, output: 20.0, ..PriceOverride::default() };
        prices.set(&price).unwrap();
        let theirs = PriceOverride { provider: Some("openai".to_owned()), model: "gpt-9".to_owned(), ..price.clone() };
        prices.set(&theirs).unwrap();
        let usage = million(1_000_000, 0);
        assert_eq!(cost(&prices, "azure.ai.openai", "my-gpt", usage), Some(10.0));
        assert_eq!(cost(&prices, "openai", "gpt-9", usage), Some(10.0));
        assert_eq!(cost(&prices, "openai", "GPT-8", usage), Some(1.0));
        let error = prices.set(&PriceOverride { input: f64::NAN, ..price }).unwrap_err();
        assert!(error.to_string().contains("My-GPT"), "{error}");
    }

    /// Scenario: tables with a line too short, a rate that is none, and a number that is none.
    /// Guarantees: the line is named.
    #[test]
    fn wrong_tables() {
        for (table, expected) in [
            ("# a\nopenai\tgpt\n", "line 2: expected provider"),
            ("openai\tgpt\tinn=1\n", "line 1: unknown rate \"inn\""),
            ("openai\tgpt\tin=1\nopenai\tx\tin=1e5\n", "line 2: \"1e5\" is no price"),
            ("openai\tgpt\tin=1 in#prority=2\n", "line 1: unknown service \"prority\""),
        ] {
            let error = Prices::parse(table).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
