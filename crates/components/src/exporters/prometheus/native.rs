//! Exponential histograms as native ones of Prometheus.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::ExponentialHistogramDataPoint;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;

use super::families::{Exemplar, Problem, exemplar};

/// A native histogram.
#[derive(Debug, Clone)]
pub(super) struct Native {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: u64,
    pub(super) positive: Spans,
    pub(super) negative: Spans,
    pub(super) exemplars: Vec<Exemplar>,
}

/// Runs of buckets, and how each count differs from that of the bucket before.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans {
    /// The gap before each run, and its length.
    pub(super) runs: Vec<(i32, u32)>,
    pub(super) deltas: Vec<i64>,
}

/// The scales that Prometheus knows.
const FINEST: i32 = 8;
const COARSEST: i32 = -4;
/// The width of the bucket of zeros, where none is told.
const ZERO_THRESHOLD: f64 = 1e-128;
/// Gaps up to this are filled with empty buckets.
const SMALL_GAP: i64 = 2;

// === impl Native ===

impl Native {
    /// # Errors
    ///
    /// Fails where the scale is too coarse, or where the buckets do not add up to the count.
    pub(super) fn of(point: &ExponentialHistogramDataPoint) -> Result<Self, Problem> {
        if point.scale < COARSEST {
            return Err(format!("scale {} is below {COARSEST}", point.scale));
        }
        let shift = u32::try_from(point.scale - FINEST).unwrap_or(0).min(31);
        let (positive, negative) = (counts(point.positive.as_ref(), shift), counts(point.negative.as_ref(), shift));
        let total =
            positive.values().chain(negative.values()).fold(point.zero_count, |sum, count| sum.wrapping_add(*count));
        let sum = point.sum.unwrap_or(0.0);
        if (sum.is_nan() && total > point.count) || (!sum.is_nan() && total != point.count) {
            return Err("the buckets do not add up to the count".to_owned());
        }
        Ok(Self {
            count: point.count,
            sum,
            schema: point.scale.min(FINEST),
            zero_threshold: if point.zero_threshold == 0.0 { ZERO_THRESHOLD } else { point.zero_threshold },
            zero_count: point.zero_count,
            positive: Spans::of(&positive),
            negative: Spans::of(&negative),
            exemplars: point.exemplars.iter().map(exemplar).collect(),
        })
    }
}

/// Counts by index; Prometheus names a bucket by its upper bound, OTLP by its lower one.
fn counts(buckets: Option<&Buckets>, shift: u32) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    if let Some(Buckets { offset, bucket_counts }) = buckets {
        for (at, count) in bucket_counts.iter().enumerate() {
            let index = ((i64::from(*offset) + at as i64) >> shift) + 1;
            let sum: &mut u64 = counts.entry(index).or_default();
            *sum = sum.wrapping_add(*count);
        }
    }
    counts
}

// === impl Spans ===

impl Spans {
    fn of(counts: &BTreeMap<i64, u64>) -> Self {
        let mut spans = Self::default();
        let (mut next, mut before) = (0_i64, 0_i64);
        for (index, count) in counts {
            let gap = index - next;
            match spans.runs.last_mut() {
                Some(run) if gap <= SMALL_GAP => {
                    for _ in 0..gap {
                        run.1 += 1;
                        spans.deltas.push(-before);
                        before = 0;
                    }
                    run.1 += 1;
                }
                _ => spans.runs.push((i32::try_from(gap).unwrap_or(i32::MAX), 1)),
            }
            spans.deltas.push((*count as i64).wrapping_sub(before));
            before = *count as i64;
            next = index + 1;
        }
        spans
    }
}
