//! What the calls of one request cost: prices are looked up once a model, not once a call.

use std::collections::BTreeMap;

use super::{Prices, Rates, Usage};
use crate::call::{Call, Role};
use crate::memo::Memo;

/// Prices calls.
pub(crate) struct Bill<'c> {
    prices: &'c Prices,
    memo: Memo<'c, (&'c str, Option<&'c Rates>)>,
    /// Calls of models without a price.
    pub(crate) unpriced: BTreeMap<&'c str, u32>,
}

/// What is known of a call by its model.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Priced {
    /// US dollars; none where the source said the cost, or the model has no price.
    pub(crate) cost: Option<f64>,
    /// The most input tokens that the model takes.
    pub(crate) context: Option<i64>,
}

/// How a price came about, for people.
#[derive(Debug, Clone)]
pub(crate) struct PriceStory {
    pub(crate) summary: String,
    pub(crate) lines: Vec<String>,
}

// === impl Bill ===

impl<'c> Bill<'c> {
    pub(crate) fn new(prices: &'c Prices) -> Self {
        Self { prices, memo: Memo::default(), unpriced: BTreeMap::new() }
    }

    /// What a call cost, and the context window of its model; nothing for one that owns no usage.
    pub(crate) fn price(&mut self, call: &'c Call<'_>) -> Priced {
        if call.role != Role::Owner {
            return Priced::default();
        }
        let provider = call.provider.as_deref().unwrap_or("");
        // What answered says more than what was asked for.
        let names = [&call.response_model, &call.request_model].map(Option::as_deref);
        let Some(name) = names.into_iter().flatten().next() else { return Priced::default() };
        let rates = names.into_iter().flatten().find_map(|name| self.rates(provider, name));
        let context = rates.and_then(|rates| rates.context);
        if call.priced {
            return Priced { cost: None, context };
        }
        let cost = rates.and_then(|rates| rates.cost(usage_of(call), call.service));
        // Images that are charged by their tokens, of which the call says nothing.
        let cost = cost.filter(|cost| *cost > 0.0 || call.has_tokens());
        if cost.is_none() {
            *self.unpriced.entry(name).or_default() += 1;
        }
        Priced { cost, context }
    }

    /// How the price of a call comes about; nothing for one that owns no usage.
    pub(crate) fn story(&self, call: &Call<'_>) -> Option<PriceStory> {
        if call.role != Role::Owner {
            return None;
        }
        let plain = |summary: String| Some(PriceStory { summary, lines: Vec::new() });
        if call.priced {
            return plain("the source says what it cost".to_owned());
        }
        let provider = call.provider.as_deref().unwrap_or("");
        let names = [&call.response_model, &call.request_model].map(Option::as_deref);
        let Some(name) = names.into_iter().flatten().next() else {
            return plain("no model is named".to_owned());
        };
        let found = names.into_iter().flatten().find_map(|name| self.prices.place(provider, name));
        let Some((host, spelling, rates)) = found else {
            return plain(format!("{name:?} of provider {provider:?} has no price"));
        };
        let lines = rates.lines(usage_of(call), call.service);
        Some(PriceStory { summary: format!("{spelling} of {host}, US dollars a million tokens"), lines })
    }

    fn rates(&mut self, provider: &'c str, model: &'c str) -> Option<&'c Rates> {
        let prices = self.prices;
        match self.memo.get(model.as_bytes(), |_| (provider, prices.find(provider, model))) {
            (known, rates) if known == provider => rates,
            // The same name at another provider.
            _ => prices.find(provider, model),
        }
    }
}

fn usage_of(call: &Call<'_>) -> Usage {
    let parts = &call.parts;
    Usage {
        input: call.input.unwrap_or(0),
        output: call.output.unwrap_or(0),
        cache_read: call.cache_read.unwrap_or(0),
        cache_write: call.cache_write.unwrap_or(0),
        reasoning: call.reasoning.unwrap_or(0),
        write_1h: i64::from(parts.write_1h),
        audio_input: i64::from(parts.audio_input),
        audio_output: i64::from(parts.audio_output),
        audio_read: i64::from(parts.audio_read),
        image_input: i64::from(parts.image_input),
        image_output: parts.image_output.map(i64::from),
        image_read: i64::from(parts.image_read),
        web_searches: i64::from(parts.web_searches.unwrap_or(0)),
        file_searches: i64::from(parts.file_searches),
        images: i64::from(parts.images),
    }
}
