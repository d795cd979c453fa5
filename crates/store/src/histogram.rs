//! Histograms of durations with fixed logarithmic buckets, so that those of any minutes, services and machines can be added up.

use std::sync::Arc;

use arrow::array::{Int64Builder, ListArray, ListBuilder};
use arrow::datatypes::{DataType, Field};

/// Buckets a doubling: each is 9 % wide, so that a percentile is off by 4.4 % at most.
const PER_DOUBLING: f64 = 8.0;

/// The first bucket ends here, in nanoseconds.
const FIRST: f64 = 1e6;

/// How many buckets there are: up to 1 ms × 2^22, which is 70 minutes, and what is longer in the last one.
pub(crate) const BUCKETS: usize = 178;

/// Counts by bucket, without the empty ones at both ends: most rows of `usage_1m` count few calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    first: usize,
    /// Those of `first` and the buckets behind it.
    counts: Vec<i64>,
}

// === impl Histogram ===

impl Histogram {
    /// Counts a duration in nanoseconds; a negative one as none at all.
    pub(crate) fn record(&mut self, nanos: i64) {
        self.add(bucket(nanos), 1);
    }

    /// Adds another histogram, as [`Histogram::list`] has it.
    pub(crate) fn merge(&mut self, list: &[i64]) {
        let [first, counts @ ..] = list else { return };
        // Files may come from others: buckets that do not exist and what is negative count nothing.
        let Ok(first) = usize::try_from(*first) else { return };
        for (bucket, count) in (first..BUCKETS).zip(counts) {
            if *count > 0 {
                self.add(bucket, *count);
            }
        }
    }

    /// As a list of numbers: the first bucket that counts any, its count, and those of the buckets behind it. Empty where nothing was
    /// counted.
    pub(crate) fn list(&self) -> impl Iterator<Item = i64> {
        let first = (!self.counts.is_empty()).then(|| i64::try_from(self.first).unwrap_or(i64::MAX));
        first.into_iter().chain(self.counts.iter().copied())
    }

    /// Memory it takes beside itself, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(self.counts.as_slice())
    }

    /// The duration in nanoseconds that a share of all is at most; none where nothing was counted. It is the middle of its bucket: where
    /// inside of it durations lie is not known, and from its middle none is further than half its width.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let total: i64 = self.counts.iter().sum();
        let wanted = (share.clamp(0.0, 1.0) * total as f64).max(1.0);
        let mut below = 0_i64;
        for (bucket, count) in (self.first..).zip(&self.counts) {
            below = below.saturating_add(*count);
            if *count > 0 && below as f64 >= wanted {
                let (low, high) = bounds(bucket);
                return Some(if low > 0.0 { (low * high).sqrt() } else { high / 2.0 });
            }
        }
        None
    }

    fn add(&mut self, bucket: usize, count: i64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if let Some(before) = self.first.checked_sub(bucket).filter(|before| *before > 0) {
            self.counts.splice(..0, std::iter::repeat_n(0, before));
            self.first = bucket;
        }
        let at = bucket - self.first;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        if let Some(slot) = self.counts.get_mut(at) {
            *slot = slot.saturating_add(count);
        }
    }
}

/// The type of a column of histograms.
pub(crate) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// A column of histograms, each as [`Histogram::list`] has it.
pub(crate) fn lists<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> ListArray {
    let mut builder = ListBuilder::new(Int64Builder::new());
    for histogram in histograms {
        histogram.list().for_each(|number| builder.values().append_value(number));
        builder.append(true);
    }
    builder.finish()
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
        all.merge(&other.list().collect::<Vec<_>>());
        for share in [0.1, 0.5, 0.95, 0.99] {
            let (found, exact) = (all.quantile(share).unwrap(), share * 1e10);
            assert!((found / exact - 1.0).abs() < 0.045, "{share}: {found} {exact}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    /// Scenario: one duration, and many that are all the same, wherever they lie in their bucket.
    /// Guarantees: every percentile is within 4.5 % of it.
    #[test]
    fn quantiles_of_few_are_near() {
        for nanos in (1..4_000).map(|at| at * 1_000_003) {
            for count in [1, 24] {
                let mut histogram = Histogram::default();
                (0..count).for_each(|_| histogram.record(nanos));
                for share in [0.0, 0.5, 0.99, 1.0] {
                    let found = histogram.quantile(share).unwrap();
                    assert!((found / nanos as f64 - 1.0).abs() < 0.045, "{nanos} {share}: {found}");
                }
            }
        }
    }

    /// Scenario: durations that come in any order; lists of others, with buckets that do not exist.
    /// Guarantees: a list holds what was counted from the first bucket to the last, and nothing else; wrong ones count nothing.
    #[test]
    fn lists_are_short() {
        let list = |nanos: &[i64]| {
            let mut histogram = Histogram::default();
            nanos.iter().for_each(|nanos| histogram.record(*nanos));
            histogram.list().collect::<Vec<_>>()
        };
        assert_eq!(list(&[]), [0; 0]);
        assert_eq!(list(&[1_000_000_000]), [80, 1]);
        assert_eq!(list(&[1_100_000_000, 1_000_000_000, 900_000_000, 1_100_000_000]), [79, 1, 1, 2]);
        assert_eq!(list(&[i64::MAX, 0])[..2], [0, 1]);
        assert_eq!(list(&[i64::MAX, 0]).len(), 1 + BUCKETS);

        let mut histogram = Histogram::default();
        for wrong in [&[-1, 5][..], &[i64::MAX, 5], &[i64::MIN, 5], &[177, -5, 5], &[9], &[]] {
            histogram.merge(wrong);
        }
        assert_eq!(histogram, Histogram::default());
        histogram.merge(&[176, 1, 2, 3]);
        assert_eq!(histogram.list().collect::<Vec<_>>(), [176, 1, 2]);
    }
}
