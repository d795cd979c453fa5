//! Either kind of histogram.

use std::sync::Arc;

use super::explicit::Explicit;
use super::exponential::Exponential;

/// How the buckets of a histogram are made.
#[derive(Debug, Clone)]
pub(crate) enum Buckets {
    /// With those bounds.
    Explicit(Arc<[f64]>),
    /// Exponential ones, at most so many of each sign.
    Exponential(i32),
}

/// A histogram.
#[derive(Debug, Clone)]
pub(crate) enum Histogram {
    Explicit(Explicit),
    Exponential(Box<Exponential>),
}

// === impl Histogram ===

impl Histogram {
    pub(crate) fn new(buckets: &Buckets) -> Self {
        match buckets {
            Buckets::Explicit(bounds) => Self::Explicit(Explicit::new(bounds)),
            Buckets::Exponential(max_size) => Self::Exponential(Box::new(Exponential::new(*max_size))),
        }
    }

    /// Counts a value `times` times.
    #[inline]
    pub(crate) fn record(&mut self, value: f64, times: u64) {
        match self {
            Self::Explicit(histogram) => histogram.record(value, times),
            Self::Exponential(histogram) => histogram.record(value, times),
        }
    }
}
