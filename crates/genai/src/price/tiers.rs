//! Rates worked out: what each kind costs, for every tier and service.

use super::kind::{KINDS, Kind, TEXT};
use super::usage::{SERVICES, Service};

#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) kind: Kind,
    /// For requests with more input tokens than that.
    pub(super) above: i64,
    pub(super) service: Service,
    /// Femto-dollars a token, or a piece.
    pub(super) price: i64,
}

/// Rates worked out for every tier and service.
#[derive(Debug)]
pub(super) struct Tiers {
    plain: Tier,
    /// For requests with more input tokens than that, the highest first.
    above: Vec<(i64, Tier)>,
    /// Whether images among the output cost something else than the rest of it.
    pub(super) draws: bool,
}

/// What each kind costs by service; none where no rate of the model says it.
#[derive(Debug, Clone, Copy)]
struct Tier([Prices; SERVICES]);

/// What each kind costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prices([Option<i64>; KINDS]);

// === impl Tiers ===

impl Tiers {
    pub(super) fn new(rates: &[Rate]) -> Self {
        let mut above: Vec<i64> = rates.iter().map(|rate| rate.above).filter(|above| *above > 0).collect();
        above.sort_unstable_by(|left, right| right.cmp(left));
        above.dedup();
        let above = above.into_iter().map(|above| (above, Tier::new(rates, above))).collect();
        let has = |kind| rates.iter().any(|rate| rate.kind == kind);
        Self { plain: Tier::new(rates, 0), above, draws: has(Kind::ImageOutput) && has(Kind::Output) }
    }

    /// The prices of a request with so many input tokens.
    pub(super) fn of(&self, input: i64, service: Service) -> Option<&Prices> {
        let tier = self.above.iter().find(|(above, _)| input > *above).map_or(&self.plain, |(_, tier)| tier);
        tier.0.get(service as usize)
    }
}

// === impl Prices ===

impl Prices {
    #[inline]
    pub(super) fn of(&self, kind: Kind) -> Option<i64> {
        self.0.get(kind as usize).copied().flatten()
    }

    /// Of the kinds of tokens of text.
    #[inline]
    pub(super) fn text(&self) -> [Option<i64>; TEXT] {
        let [input, read, write, output, reasoning, ..] = self.0;
        [input, read, write, output, reasoning]
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
            Prices(Kind::ALL.map(|kind| price(kind, &rate)))
        }))
    }
}

/// What a kind costs: what has no rate of its own is charged as what it is a part of.
fn price(kind: Kind, rate: &impl Fn(Kind) -> Option<i64>) -> Option<i64> {
    let parts: &[Kind] = match kind {
        Kind::CacheRead | Kind::CacheWrite | Kind::AudioInput | Kind::ImageInput => &[Kind::Input],
        Kind::CacheWrite1h => &[Kind::CacheWrite, Kind::Input],
        Kind::AudioRead | Kind::ImageRead => &[Kind::CacheRead, Kind::Input],
        Kind::Reasoning | Kind::AudioOutput | Kind::ImageOutput => &[Kind::Output],
        // A model that answers with nothing but images.
        Kind::Output => &[Kind::ImageOutput],
        _ => &[],
    };
    rate(kind).or_else(|| parts.iter().find_map(|kind| rate(*kind)))
}
