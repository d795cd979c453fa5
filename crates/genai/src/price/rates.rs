//! The rates of one model, and what a call costs by them. Arithmetic is in whole femto-dollars (1e-15 dollars), so that sums are exact.

use std::sync::OnceLock;

use super::PriceOverride;
use super::kind::Kind;
use super::tiers::{Rate, Tiers};
use super::usage::{Service, Usage};

/// The rates of a model.
#[derive(Debug)]
pub(crate) struct Rates {
    rates: Vec<Rate>,
    /// The most input tokens that the model takes.
    pub(crate) context: Option<i64>,
    /// Made by the first call that is charged: of a table's thousands of models few are ever asked for.
    worked_out: OnceLock<Tiers>,
}

/// A kind, how much of it, and femto-dollars for one.
type Charge = (Kind, i64, Option<i64>);

/// Digits after the point of a price a million tokens, so that a token's is whole in femto-dollars.
const DIGITS: usize = 9;

/// The same of a price for one piece.
const DIGITS_OF_PIECES: usize = 15;

/// No model costs more than this, in dollars a million tokens, and no piece more than that, in dollars; so no product overflows.
const MOST: i64 = 1_000_000;
const MOST_OF_PIECES: i64 = 1_000;

// === impl Rates ===

impl Rates {
    /// Reads `in=2.5 out=10 in@200k=5 in#batch=1.25 search=0.01 context=128000`: dollars a million tokens, dollars for one of what is charged by
    /// the piece, and tokens of context.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (mut rates, mut context) = (Vec::new(), None);
        for item in text.split(' ').filter(|item| !item.is_empty()) {
            let (name, price) = item.split_once('=').ok_or_else(|| format!("{item:?} is no rate"))?;
            if name == "context" {
                let tokens = price.parse::<u32>().map_err(|_| format!("{price:?} is no count of tokens"))?;
                context = Some(i64::from(tokens));
                continue;
            }
            let (name, service) = match name.split_once('#') {
                None => (name, Service::Standard),
                Some((name, word)) => (name, Service::named(word).ok_or_else(|| format!("unknown service {word:?}"))?),
            };
            let (name, above) = name.split_once('@').unwrap_or((name, "0k"));
            let kind = Kind::named(name).ok_or_else(|| format!("unknown rate {name:?}"))?;
            let thousands: Option<i64> =
                above.strip_suffix('k').and_then(|count| count.parse::<u32>().ok()).map(i64::from);
            let above = thousands.ok_or_else(|| format!("{above:?} is no count of thousands of tokens"))? * 1_000;
            let price = femto(price, kind).ok_or_else(|| format!("{price:?} is no price"))?;
            rates.push(Rate { kind, above, service, price });
        }
        Ok(Self { rates, context, worked_out: OnceLock::new() })
    }

    /// The rates of a user's price; gives the number that is none.
    pub(super) fn of(price: &PriceOverride) -> Result<Self, f64> {
        let given = [
            (Kind::Input, Some(price.input)),
            (Kind::Output, Some(price.output)),
            (Kind::CacheRead, price.cache_read),
            (Kind::CacheWrite, price.cache_write),
            (Kind::WebSearch, price.web_search),
            (Kind::FileSearch, price.file_search),
            (Kind::Image, price.image),
        ];
        let mut rates = Vec::new();
        for (kind, dollars) in given {
            let Some(dollars) = dollars else { continue };
            // The shortest text of a number is what the user wrote.
            let price = femto(&format!("{dollars}"), kind).ok_or(dollars)?;
            rates.push(Rate { kind, above: 0, service: Service::Standard, price });
        }
        Ok(Self { rates, context: price.context.map(i64::from), worked_out: OnceLock::new() })
    }

    /// US dollars; none where a rate that is needed is not known. With more input than a threshold, all tokens of the request are
    /// charged at that tier, as providers do.
    pub(crate) fn cost(&self, usage: Usage, service: Service) -> Option<f64> {
        let tiers = self.tiers();
        let mut sum = 0;
        if usage.has_parts() || tiers.draws {
            for (_, quantity, price) in self.charges(usage, service)? {
                sum += i128::from(quantity) * i128::from(price?);
            }
        } else {
            // Text in and text out, as nearly always.
            for (quantity, price) in usage.text().into_iter().zip(tiers.of(usage.input, service)?.text()) {
                if quantity > 0 {
                    sum += i128::from(quantity) * i128::from(price?);
                }
            }
        }
        // Nearly all fit into a word, which is faster to convert.
        Some(i64::try_from(sum).map_or_else(|_| sum as f64, |sum| sum as f64) / 1e15)
    }

    /// What is charged, for people: tokens and their rate in dollars a million, pieces and theirs in dollars.
    pub(crate) fn lines(&self, usage: Usage, service: Service) -> Vec<String> {
        let charges = self.charges(usage, service).into_iter().flatten();
        charges
            .map(|(kind, quantity, price)| match price {
                Some(price) if kind.is_piece() => format!("{quantity} {} x {} each", kind.label(), price as f64 / 1e15),
                Some(price) => format!("{quantity} {} x {}", kind.label(), price as f64 / 1e9),
                None if kind == Kind::Output && self.tiers().draws => {
                    format!(
                        "{quantity} output, of which nobody says how much is an image, so that the price is not known"
                    )
                }
                None => format!("{quantity} {}, of which the price is not known", kind.label()),
            })
            .collect()
    }

    fn tiers(&self) -> &Tiers {
        self.worked_out.get_or_init(|| Tiers::new(&self.rates))
    }

    /// What is charged: of most kinds a call used nothing.
    fn charges(&self, usage: Usage, service: Service) -> Option<impl Iterator<Item = Charge>> {
        let tiers = self.tiers();
        let prices = tiers.of(usage.input, service)?;
        // Nobody says how much of the output is an image.
        let unclear = tiers.draws && usage.image_output.is_none();
        let used = Kind::ALL.into_iter().zip(usage.quantities()).filter(|(_, quantity)| *quantity > 0);
        Some(used.filter_map(move |(kind, quantity)| {
            let price = prices.of(kind);
            match kind {
                Kind::Output if unclear => Some((kind, quantity, None)),
                // A search is charged by itself or by the prompt, and images mostly by their tokens.
                Kind::WebSearch if price.is_none() && prices.of(Kind::Grounding).is_some() => None,
                Kind::Grounding | Kind::Image if price.is_none() => None,
                _ => Some((kind, quantity, price)),
            }
        }))
    }
}

/// Femto-dollars for one of a kind, of a decimal text in dollars. Digits that do not matter to a nano-dollar in a million tokens are cut.
fn femto(text: &str, kind: Kind) -> Option<i64> {
    let (most, places) = if kind.is_piece() { (MOST_OF_PIECES, DIGITS_OF_PIECES) } else { (MOST, DIGITS) };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let dollars: i64 = whole.parse().ok().filter(|dollars| *dollars <= most)?;
    let all = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    Some(all.fold(dollars, |parts, digit| parts * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAUDE: &str =
        "in=3 in@200k=6 out=15 out@200k=22.5 read=0.3 read@200k=0.6 write=3.75 write@200k=7.5 in#batch=1.5";

    fn cost(usage: Usage, service: Service) -> f64 {
        Rates::parse(CLAUDE).unwrap().cost(usage, service).unwrap()
    }

    /// Scenario: a call with fresh, read and written input; the same beyond the threshold of long contexts.
    /// Guarantees: each part has its rate; beyond the threshold, all parts have those of the tier.
    #[test]
    fn parts_and_tiers() {
        let usage = Usage {
            input: 200_000,
            output: 1_000,
            cache_read: 100_000,
            cache_write: 50_000,
            reasoning: 400,
            ..Usage::default()
        };
        assert_eq!(cost(usage, Service::Standard), 0.15 + 0.03 + 0.1875 + 0.015);
        let longer = Usage { input: 200_001, ..usage };
        assert_eq!(cost(longer, Service::Standard), 0.300006 + 0.06 + 0.375 + 0.0225);
    }

    /// Scenario: cache entries that are kept for an hour, and audio; at a model that prices them and at one that does not.
    /// Guarantees: each part has its own rate, or that of what it is a part of; parts that are larger than the whole are cut.
    #[test]
    fn parts_with_prices_of_their_own() {
        let usage = Usage {
            input: 3_000,
            output: 1_000,
            cache_write: 1_000,
            write_1h: 400,
            audio_input: 500,
            audio_output: 2_000,
            ..Usage::default()
        };
        let rates = Rates::parse("in=1 out=2 write=10 write1h=20 audio_in=100 audio_out=200").unwrap();
        assert_eq!(
            rates.cost(usage, Service::Standard),
            Some((1_500.0 + 6_000.0 + 8_000.0 + 50_000.0 + 200_000.0) / 1e6)
        );
        let plain = Rates::parse("in=1 out=2 write=10").unwrap();
        assert_eq!(plain.cost(usage, Service::Standard), Some((2_000.0 + 10_000.0 + 2_000.0) / 1e6));
    }

    /// Scenario: a batch, for which only input has a rate.
    /// Guarantees: input has it, output the plain one.
    #[test]
    fn services() {
        let usage = Usage { input: 1_000, output: 1_000, ..Usage::default() };
        assert_eq!(cost(usage, Service::of("batch")), 0.0165);
        assert_eq!(cost(usage, Service::of("default")), 0.018);
    }

    /// Scenario: the cheapest rate there is, one token at a time, a million times, and all at once.
    /// Guarantees: both are the same to the nano-dollar.
    #[test]
    fn sums_are_exact() {
        let rates = Rates::parse("in=0.00375 out=0.000000001").unwrap();
        let one = rates.cost(Usage { input: 1, output: 1, ..Usage::default() }, Service::Standard).unwrap();
        let all =
            rates.cost(Usage { input: 1_000_000, output: 1_000_000, ..Usage::default() }, Service::Standard).unwrap();
        let sum: f64 = std::iter::repeat_n(one, 1_000_000).sum();
        assert!((sum - all).abs() < 1e-9, "{sum} {all}");
        assert_eq!(all, 0.003750001);
    }

    /// Scenario: a model without a price for output; counts that are too large.
    /// Guarantees: no cost where output is charged, a cost where there is none; nothing overflows.
    #[test]
    fn unknown_and_extreme() {
        let rates = Rates::parse("in=1000000").unwrap();
        assert_eq!(rates.cost(Usage { input: 1, output: 1, ..Usage::default() }, Service::Standard), None);
        let huge = Usage {
            input: i64::MAX,
            output: 0,
            cache_read: i64::MAX,
            cache_write: i64::MAX,
            reasoning: i64::MAX,
            ..Usage::default()
        };
        assert!(rates.cost(huge, Service::Standard).unwrap() > 0.0);
    }
}
