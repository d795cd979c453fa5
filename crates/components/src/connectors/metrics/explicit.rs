//! Histograms with given bounds.

use std::sync::Arc;

/// Counts of values between bounds; each bound belongs to the bucket below it.
#[derive(Debug, Clone)]
pub(crate) struct Explicit {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) counts: Box<[u64]>,
    pub(crate) count: u64,
    pub(crate) sum: f64,
}

// === impl Explicit ===

impl Explicit {
    pub(crate) fn new(bounds: &Arc<[f64]>) -> Self {
        Self { bounds: Arc::clone(bounds), counts: vec![0; bounds.len() + 1].into(), count: 0, sum: 0.0 }
    }

    /// Counts a value `times` times.
    #[inline]
    pub(crate) fn record(&mut self, value: f64, times: u64) {
        self.sum += value * times as f64;
        self.count = self.count.wrapping_add(times);
        if let Some(count) = self.counts.get_mut(bucket(&self.bounds, value)) {
            *count = count.wrapping_add(times);
        }
    }
}

/// The first bound that is not below the value. Bounds need not be in order, so the steps are those of Go's search.
#[inline]
fn bucket(bounds: &[f64], value: f64) -> usize {
    let (mut low, mut high) = (0, bounds.len());
    while low < high {
        let middle = low.midpoint(high);
        if bounds.get(middle).is_some_and(|bound| *bound >= value) { high = middle } else { low = middle + 1 }
    }
    low
}
