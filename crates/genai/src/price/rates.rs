//! The rates of one model, and what a call costs by them. Arithmetic is in whole femto-dollars (1e-15 dollars), so that sums are exact.

use std::sync::OnceLock;

use super::PriceOverride;

/// What a call used, in tokens. Input includes what was read from and written to a cache, output includes reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: i64,
    pub(crate) output: i64,
    pub(crate) cache_read: i64,
    pub(crate) cache_write: i64,
    pub(crate) reasoning: i64,
    /// Of what was written to a cache, what is kept for an hour.
    pub(crate) write_1h: i64,
    pub(crate) audio_input: i64,
    pub(crate) audio_output: i64,
}

/// How soon a provider promised to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Service {
    #[default]
    Standard,
    Priority,
    Flex,
    Batch,
}

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Reasoning,
    CacheWrite1h,
    AudioInput,
    AudioOutput,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    kind: Kind,
    /// For requests with more input tokens than that.
    above: i64,
    service: Service,
    /// Femto-dollars a token.
    price: i64,
}

/// The rates of a model.
#[derive(Debug)]
pub(crate) struct Rates {
    rates: Vec<Rate>,
    /// The most input tokens that the model takes.
    pub(crate) context: Option<i64>,
    /// Made by the first call that is charged: of a table's thousands of models few are ever asked for.
    worked_out: OnceLock<Tiers>,
}

/// Rates worked out for every tier and service.
#[derive(Debug)]
struct Tiers {
    plain: Tier,
    /// For requests with more input tokens than that, the highest first.
    above: Vec<(i64, Tier)>,
}

/// What each kind costs by service; none where no rate of the model says it.
#[derive(Debug, Clone, Copy)]
struct Tier([[Option<i64>; KINDS]; SERVICES]);

const KINDS: usize = 8;
const SERVICES: usize = 4;

/// Digits after the point of a price a million tokens, so that a token's is whole in femto-dollars.
const DIGITS: usize = 9;

/// No model costs more than this, in dollars a million tokens; so no product overflows.
const MOST: i64 = 1_000_000;

// === impl Service ===

impl Service {
    const ALL: [Self; SERVICES] = [Self::Standard, Self::Priority, Self::Flex, Self::Batch];

    /// The service that a provider's word names; standard where the word is another.
    pub(crate) fn of(word: &str) -> Self {
        Self::named(word).unwrap_or_default()
    }

    fn named(word: &str) -> Option<Self> {
        match word {
            "priority" => Some(Self::Priority),
            "flex" => Some(Self::Flex),
            "batch" | "batches" => Some(Self::Batch),
            _ => None,
        }
    }
}

// === impl Rates ===

impl Rates {
    /// Reads `in=2.5 out=10 in@200k=5 in#batch=1.25 context=128000`: dollars a million tokens, and tokens of context.
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
            let kind = match name {
                "in" => Kind::Input,
                "out" => Kind::Output,
                "read" => Kind::CacheRead,
                "write" => Kind::CacheWrite,
                "reasoning" => Kind::Reasoning,
                "write1h" => Kind::CacheWrite1h,
                "audio_in" => Kind::AudioInput,
                "audio_out" => Kind::AudioOutput,
                _ => return Err(format!("unknown rate {name:?}")),
            };
            let thousands: Option<i64> =
                above.strip_suffix('k').and_then(|count| count.parse::<u32>().ok()).map(i64::from);
            let above = thousands.ok_or_else(|| format!("{above:?} is no count of thousands of tokens"))? * 1_000;
            let price = femto(price).ok_or_else(|| format!("{price:?} is no price"))?;
            rates.push(Rate { kind, above, service, price });
        }
        Ok(Self { rates, context, worked_out: OnceLock::new() })
    }

    /// The rates of a user's price; gives the number that is none.
    pub(super) fn of(price: &PriceOverride) -> Result<Self, f64> {
        let rate = |kind, dollars: f64| -> Result<Rate, f64> {
            // The shortest text of a number is what the user wrote.
            let text = format!("{dollars}");
            let price = femto(&text).ok_or(dollars)?;
            Ok(Rate { kind, above: 0, service: Service::Standard, price })
        };
        let mut rates = vec![rate(Kind::Input, price.input)?, rate(Kind::Output, price.output)?];
        for (kind, dollars) in [(Kind::CacheRead, price.cache_read), (Kind::CacheWrite, price.cache_write)] {
            if let Some(dollars) = dollars {
                rates.push(rate(kind, dollars)?);
            }
        }
        Ok(Self { rates, context: price.context.map(i64::from), worked_out: OnceLock::new() })
    }

    /// US dollars; none where a rate that is needed is not known. With more input than a threshold, all tokens of the request are
    /// charged at that tier, as providers do.
    pub(crate) fn cost(&self, usage: Usage, service: Service) -> Option<f64> {
        let mut sum = 0;
        for (tokens, price) in self.charges(usage, service)? {
            match (tokens, price) {
                (..=0, _) => {}
                (tokens, Some(price)) => sum += i128::from(tokens) * i128::from(price),
                (_, None) => return None,
            }
        }
        // Nearly all fit into a word, which is faster to convert.
        Some(i64::try_from(sum).map_or(sum as f64, |sum| sum as f64) / 1e15)
    }

    /// What is charged, for people: tokens and their rate, in dollars a million.
    pub(crate) fn lines(&self, usage: Usage, service: Service) -> Vec<String> {
        const NAMES: [&str; KINDS] = [
            "input",
            "cache read",
            "cache write",
            "output",
            "reasoning",
            "cache write for an hour",
            "audio input",
            "audio output",
        ];
        let charges = self.charges(usage, service).into_iter().flatten();
        charges
            .zip(NAMES)
            .filter(|((tokens, _), _)| *tokens > 0)
            .map(|((tokens, price), name)| match price {
                Some(price) => format!("{tokens} {name} x {}", price as f64 / 1e9),
                None => format!("{tokens} {name}, of which the price is not known"),
            })
            .collect()
    }

    /// Tokens and femto-dollars a token: fresh input, read from and written to a cache, output, and reasoning.
    #[inline]
    fn charges(&self, usage: Usage, service: Service) -> Option<[(i64, Option<i64>); KINDS]> {
        let tier = self.worked_out.get_or_init(|| Tiers::new(&self.rates)).of(usage.input);
        let [input, output, read, write, reasoning, write_1h, audio_input, audio_output] =
            *tier.0.get(service as usize)?;
        // Parts are parts of the count they belong to, whatever a span says.
        let part = |part: i64, whole: i64| part.clamp(0, whole.max(0));
        let (cached, written) = (usage.cache_read.max(0), usage.cache_write.max(0));
        let uncached = usage.input.saturating_sub(cached).saturating_sub(written);
        let heard = part(usage.audio_input, uncached);
        let hour = part(usage.write_1h, written);
        let thought = part(usage.reasoning, usage.output);
        let spoken = part(usage.audio_output, usage.output - thought);
        Some([
            (uncached - heard, input),
            (cached, read),
            (written - hour, write),
            (usage.output - thought - spoken, output),
            (thought, reasoning),
            (hour, write_1h),
            (heard, audio_input),
            (spoken, audio_output),
        ])
    }
}

// === impl Tiers ===

impl Tiers {
    fn new(rates: &[Rate]) -> Self {
        let mut above: Vec<i64> = rates.iter().map(|rate| rate.above).filter(|above| *above > 0).collect();
        above.sort_unstable_by(|left, right| right.cmp(left));
        above.dedup();
        let above = above.into_iter().map(|above| (above, Tier::new(rates, above))).collect();
        Self { plain: Tier::new(rates, 0), above }
    }

    /// The tier of a request with so many input tokens.
    fn of(&self, input: i64) -> &Tier {
        self.above.iter().find(|(above, _)| input > *above).map_or(&self.plain, |(_, tier)| tier)
    }
}

// === impl Tier ===

impl Tier {
    fn new(rates: &[Rate], above: i64) -> Self {
        Self(Service::ALL.map(|service| {
            // The rate of a tier and a service; where there is none, that of the tier, of the service, or the plain one.
            let places = [(above, service), (above, Service::Standard), (0, service), (0, Service::Standard)];
            let rate = |kind| {
                let at = |(above, service)| {
                    rates.iter().find(|rate| rate.kind == kind && rate.above == above && rate.service == service)
                };
                places.into_iter().find_map(at).map(|rate| rate.price)
            };
            let (input, output) = (rate(Kind::Input), rate(Kind::Output));
            // What has no rate of its own is charged as what it is a part of.
            let (read, write) = (rate(Kind::CacheRead).or(input), rate(Kind::CacheWrite).or(input));
            let (audio_input, audio_output) = (rate(Kind::AudioInput).or(input), rate(Kind::AudioOutput).or(output));
            let (write_1h, reasoning) = (rate(Kind::CacheWrite1h).or(write), rate(Kind::Reasoning).or(output));
            [input, output, read, write, reasoning, write_1h, audio_input, audio_output]
        }))
    }
}

/// Femto-dollars a token of a decimal text in dollars a million tokens. Digits that do not matter to a nano-dollar in a million tokens are cut.
fn femto(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let dollars: i64 = whole.parse().ok().filter(|dollars| *dollars <= MOST)?;
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(DIGITS);
    let parts = fraction.fold(0, |parts, digit| parts * 10 + i64::from(digit - b'0'));
    Some(dollars * 1_000_000_000 + parts)
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
