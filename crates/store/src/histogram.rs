//! Histograms of durations with fixed logarithmic buckets, so that those of any minutes, services and machines can be added up.

/// Buckets a doubling: each is 9 % wide, so that a percentile is off by 4.4 % at most.
const PER_DOUBLING: f64 = 8.0;

/// The first bucket ends here, in nanoseconds.
const FIRST: f64 = 1e6;

/// How many buckets there are: up to 1 ms × 2^22, which is 70 minutes, and what is longer in the last one.
pub(crate) const BUCKETS: usize = 178;

/// Counts by bucket, without the empty ones at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    counts: Vec<i64>,
}

// === impl Histogram ===

impl Histogram {
    /// Counts a duration in nanoseconds; a negative one as none at all.
    pub(crate) fn record(&mut self, nanos: i64) {
        self.add(bucket(nanos), 1);
    }

    /// Adds the counts of another histogram, in order of the buckets.
    pub(crate) fn merge(&mut self, counts: &[i64]) {
        let counts = counts.get(..BUCKETS).unwrap_or(counts);
        if self.counts.len() < counts.len() {
            self.counts.resize(counts.len(), 0);
        }
        // Files may come from others: what is negative counts nothing.
        for (slot, count) in self.counts.iter_mut().zip(counts) {
            *slot = slot.saturating_add((*count).max(0));
        }
    }

    pub(crate) fn counts(&self) -> &[i64] {
        &self.counts
    }

    /// The duration in nanoseconds that a share of all is below; none where nothing was counted.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let total: i64 = self.counts.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = (share.clamp(0.0, 1.0) * total as f64).max(1.0);
        let mut below = 0_i64;
        for (bucket, count) in self.counts.iter().enumerate() {
            let next = below.saturating_add(*count);
            if *count > 0 && next as f64 >= wanted {
                // Inside a bucket durations are taken to be spread evenly.
                let inside = (wanted - below as f64) / *count as f64;
                let (low, high) = bounds(bucket);
                return Some(low + (high - low) * inside);
            }
            below = next;
        }
        None
    }

    fn add(&mut self, bucket: usize, count: i64) {
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(slot) = self.counts.get_mut(bucket) {
            *slot = slot.saturating_add(count);
        }
    }
}

/// The bucket of a duration in nanoseconds.
pub(crate) fn bucket(nanos: i64) -> usize {
    let doublings = (nanos as f64 / FIRST).log2();
    if doublings.is_nan() || doublings < 0.0 {
        return 0;
    }
    ((doublings * PER_DOUBLING) as usize + 1).min(BUCKETS - 1)
}

/// Where a bucket begins and ends, in nanoseconds.
pub(crate) fn bounds(bucket: usize) -> (f64, f64) {
    let edge = |at: usize| FIRST * (at as f64 / PER_DOUBLING).exp2();
    match bucket {
        0 => (0.0, FIRST),
        at => (edge(at - 1), edge(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: durations from a microsecond to a day.
    /// Guarantees: each is inside the bounds of its bucket, but for those beyond the last one.
    #[test]
    fn buckets_hold_their_durations() {
        for exponent in 3..13 {
            for step in 1..100 {
                let nanos = 10_i64.pow(exponent) * step / 10;
                let (low, high) = bounds(bucket(nanos));
                assert!(low <= nanos as f64 * 1.000_001, "{nanos} {low}");
                assert!(nanos as f64 <= high * 1.000_001 || bucket(nanos) == BUCKETS - 1, "{nanos} {high}");
            }
        }
        assert_eq!(bucket(-5), 0);
    }

    /// Scenario: percentiles of 10,000 durations, counted in two halves.
    /// Guarantees: they are within 4.5 % of the exact ones.
    #[test]
    fn quantiles_are_near() {
        let (mut all, mut other) = (Histogram::default(), Histogram::default());
        for at in 1..=10_000_i64 {
            if at % 2 == 0 { &mut all } else { &mut other }.record(at * 1_000_000);
        }
        all.merge(other.counts());
        for share in [0.1, 0.5, 0.95, 0.99] {
            let (found, exact) = (all.quantile(share).unwrap(), share * 1e10);
            assert!((found / exact - 1.0).abs() < 0.045, "{share}: {found} {exact}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
