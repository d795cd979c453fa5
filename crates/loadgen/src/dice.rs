use std::time::Duration;

/// Seeded chance. What it gives depends on the seed and on the order of the questions alone.
#[derive(Debug)]
pub(crate) struct Dice(fastrand::Rng);

// === impl Dice ===

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: u32) -> bool {
        self.0.u32(..100) < share
    }

    /// A number of the range, its end excluded.
    pub(crate) fn number(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..high.max(low + 1))
    }

    /// A fraction, 1 excluded.
    pub(crate) fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// A duration of the range, in milliseconds with a fraction, as clocks measure them.
    pub(crate) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_micros(self.number(low * 1000, high * 1000))
    }

    /// A share of a duration, between two numbers of percent.
    pub(crate) fn share(&mut self, of: Duration, low: u64, high: u64) -> Duration {
        let thousandths = self.number(low * 10, high * 10);
        Duration::from_nanos(u64::try_from(of.as_nanos()).unwrap_or(u64::MAX) / 1000 * thousandths)
    }

    /// One of several things.
    #[expect(
        clippy::indexing_slicing,
        reason = "the number is below the length, which is checked not to be 0 at compile time"
    )]
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, things: &[T; N]) -> T {
        const { assert!(N > 0, "nothing to pick from") };
        things[self.0.usize(..N)]
    }

    /// The place of one of several weights, each as likely as it is heavy.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut left = self.0.u32(..weights.clone().sum::<u32>().max(1));
        for (place, weight) in weights.enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.0.digit(16)).collect()
    }
}
