//! Histograms with exponential buckets: the resolution adapts to the range of the values.

/// Buckets of each sign, unless configured.
pub(crate) const DEFAULT_MAX_SIZE: i32 = 160;
/// Fewest and most buckets that can be configured.
pub(crate) const SMALLEST_MAX_SIZE: i32 = 2;
pub(crate) const LARGEST_MAX_SIZE: i32 = 16_384;

/// The finest scale; it is left as values of a wider range come in.
const MAX_SCALE: i32 = 20;
/// The coarsest one: all doubles are in three buckets.
const MIN_SCALE: i32 = -10;

/// Counts of values in buckets whose bounds are powers of `2^(2^-scale)`.
#[derive(Debug, Clone)]
pub(crate) struct Exponential {
    max_size: i32,
    scale: i32,
    pub(crate) sum: f64,
    pub(crate) count: u64,
    pub(crate) zero_count: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) positive: Range,
    pub(crate) negative: Range,
}

/// Adjacent buckets of one sign.
#[derive(Debug, Clone, Default)]
pub(crate) struct Range {
    /// The index of the first.
    pub(crate) offset: i32,
    pub(crate) counts: Vec<u64>,
}

// === impl Exponential ===

impl Exponential {
    /// An empty one. Sizes out of range become the nearest that is in it; zero and less the default.
    pub(crate) fn new(max_size: i32) -> Self {
        let max_size = if max_size <= 0 { DEFAULT_MAX_SIZE } else { max_size };
        Self {
            max_size: max_size.clamp(SMALLEST_MAX_SIZE, LARGEST_MAX_SIZE),
            scale: MAX_SCALE,
            sum: 0.0,
            count: 0,
            zero_count: 0,
            min: 0.0,
            max: 0.0,
            positive: Range::default(),
            negative: Range::default(),
        }
    }

    /// The scale; where there are zeros only it does not matter.
    pub(crate) fn scale(&self) -> i32 {
        if self.count == self.zero_count { 0 } else { self.scale }
    }

    /// Counts a value `times` times. Values that are no numbers have no bucket, and are counted as zeros.
    pub(crate) fn record(&mut self, value: f64, times: u64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count = self.count.wrapping_add(times);
        if value == 0.0 || !value.is_finite() {
            self.zero_count = self.zero_count.wrapping_add(times);
            return;
        }
        self.sum += value * times as f64;
        if times == 0 {
            return;
        }
        let (size, magnitude) = (self.max_size, value.abs());
        let index = index(magnitude, self.scale);
        let range = if value > 0.0 { &self.positive } else { &self.negative };
        let change = range.change_of_scale(index, size);
        if change > 0 {
            self.scale = (self.scale - change).max(MIN_SCALE);
            self.positive.downscale(change);
            self.negative.downscale(change);
        }
        let index = self::index(magnitude, self.scale);
        let range = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        range.increment(index, times);
    }
}

// === impl Range ===

impl Range {
    fn last(&self) -> i32 {
        self.offset + self.counts.len() as i32 - 1
    }

    /// By how much the scale must fall so that a bucket fits in beside the others.
    fn change_of_scale(&self, index: i32, max_size: i32) -> i32 {
        if self.counts.is_empty() {
            return 0;
        }
        let (mut low, mut high) = (self.offset.min(index), self.last().max(index));
        let mut change = 0;
        while i64::from(high) - i64::from(low) >= i64::from(max_size) {
            low >>= 1;
            high >>= 1;
            change += 1;
        }
        change
    }

    /// Joins each `2^change` buckets.
    fn downscale(&mut self, change: i32) {
        if self.counts.is_empty() {
            return;
        }
        let offset = self.offset >> change;
        let last = self.last() >> change;
        let mut counts = vec![0_u64; (last - offset + 1) as usize];
        for (at, count) in self.counts.iter().enumerate() {
            let index = (self.offset + at as i32) >> change;
            if let Some(joined) = counts.get_mut((index - offset) as usize) {
                *joined = joined.wrapping_add(*count);
            }
        }
        (self.offset, self.counts) = (offset, counts);
    }

    fn increment(&mut self, index: i32, times: u64) {
        if self.counts.is_empty() {
            self.offset = index;
        }
        if index < self.offset {
            let missing = (self.offset - index) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.offset = index;
        }
        let at = (index - self.offset) as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.wrapping_add(times);
        }
    }
}

/// The bucket of a positive, finite value: its upper bound belongs to it.
fn index(value: f64, scale: i32) -> i32 {
    const SIGNIFICAND: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let exponent = ((bits >> 52) as i32 & 0x7ff) - 1023;
    let is_power = bits & SIGNIFICAND == 0;
    if scale <= 0 {
        let shift = -scale;
        if value < f64::MIN_POSITIVE {
            // What is too small for a normal number lies in the bucket below the smallest of these.
            return (-1022 >> shift) - i32::from(shift < 2);
        }
        return (exponent - i32::from(is_power)) >> shift;
    }
    if value <= f64::MIN_POSITIVE {
        return (-1022 << scale) - 1;
    }
    if is_power {
        return (exponent << scale) - 1;
    }
    let factor = f64::from(1 << scale) * std::f64::consts::LOG2_E;
    let highest = ((1023 + 1) << scale) - 1;
    ((value.ln() * factor).floor() as i32).min(highest)
}
