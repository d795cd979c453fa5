//! A new data point of a series that is known.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint,
};

use super::store::Point;

/// Makes the new point what is to be kept: delta ones are added to the old one. Otherwise tells why the new one is dropped.
pub(super) fn onto(
    old: &Point,
    new: &mut Point,
    temporality: Option<AggregationTemporality>,
) -> Result<(), &'static str> {
    let is_delta = temporality == Some(AggregationTemporality::Delta);
    let ((_, before), (start, time)) = (old.times(), new.times());
    match (old, new) {
        (Point::Sum { point: old, .. }, Point::Sum { point: new, .. }) => {
            in_order(before, time)?;
            if is_delta && start == before {
                new.start_time_unix_nano = old.start_time_unix_nano;
                let as_int = |value| match value {
                    Some(Value::AsInt(value)) => value,
                    _ => 0,
                };
                let as_double = |value| match value {
                    Some(Value::AsDouble(value)) => value,
                    _ => 0.0,
                };
                new.value = match new.value {
                    Some(Value::AsInt(value)) => Some(Value::AsInt(value.wrapping_add(as_int(old.value)))),
                    Some(Value::AsDouble(value)) => Some(Value::AsDouble(value + as_double(old.value))),
                    None => None,
                };
            }
            Ok(())
        }
        (Point::Histogram(old), Point::Histogram(new)) => match temporality {
            Some(AggregationTemporality::Cumulative) => in_order(before, time),
            Some(AggregationTemporality::Delta) => {
                if is_aligned(before, start)? {
                    add_explicit(old, new);
                }
                Ok(())
            }
            _ => Err("unspecified_temporality"),
        },
        (Point::Exponential(old), Point::Exponential(new)) => match temporality {
            Some(AggregationTemporality::Cumulative) => in_order(before, time),
            Some(AggregationTemporality::Delta) => {
                if is_aligned(before, start)? {
                    add_exponential(old, new);
                }
                Ok(())
            }
            _ => Err("unspecified_temporality"),
        },
        _ => in_order(before, time),
    }
}

fn in_order(before: u64, time: u64) -> Result<(), &'static str> {
    if time < before { Err("out_of_order") } else { Ok(()) }
}

/// Whether a delta begins where the last one ended. One that begins later replaces what there is; one that begins before cannot be
/// added.
fn is_aligned(before: u64, start: u64) -> Result<bool, &'static str> {
    if start < before { Err("misaligned") } else { Ok(start == before) }
}

fn add_explicit(old: &HistogramDataPoint, new: &mut HistogramDataPoint) {
    new.start_time_unix_nano = old.start_time_unix_nano;
    // With other bounds what was before cannot be told in these.
    if old.explicit_bounds == new.explicit_bounds {
        new.count = new.count.wrapping_add(old.count);
        new.sum = Some(new.sum.unwrap_or(0.0) + old.sum.unwrap_or(0.0));
        for (count, before) in new.bucket_counts.iter_mut().zip(&old.bucket_counts) {
            *count = count.wrapping_add(*before);
        }
    }
    new.exemplars.clear();
    (new.min, new.max) = (None, None);
}

fn add_exponential(old: &ExponentialHistogramDataPoint, new: &mut ExponentialHistogramDataPoint) {
    let scale = old.scale.min(new.scale);
    let side = |old_side: &Option<Buckets>, new_side: &Option<Buckets>| {
        merged(downscaled(old_side, old.scale, scale), downscaled(new_side, new.scale, scale))
    };
    new.positive = Some(side(&old.positive, &new.positive));
    new.negative = Some(side(&old.negative, &new.negative));
    new.start_time_unix_nano = old.start_time_unix_nano;
    new.scale = scale;
    new.zero_threshold = new.zero_threshold.max(old.zero_threshold);
    new.zero_count = new.zero_count.wrapping_add(old.zero_count);
    new.count = new.count.wrapping_add(old.count);
    new.sum = old.sum.zip(new.sum).map(|(old, new)| old + new);
    new.min = [old.min, new.min].into_iter().flatten().reduce(f64::min);
    new.max = [old.max, new.max].into_iter().flatten().reduce(f64::max);
    new.exemplars.clear();
}

/// The buckets at a coarser scale.
fn downscaled(side: &Option<Buckets>, from: i32, to: i32) -> Buckets {
    let Some(Buckets { offset, bucket_counts }) = side else { return Buckets::default() };
    let shift = u32::try_from(from.saturating_sub(to)).unwrap_or(0).min(31);
    let mut joined = Buckets { offset: offset >> shift, bucket_counts: Vec::new() };
    for (at, count) in bucket_counts.iter().enumerate() {
        let index = (i64::from(*offset) + at as i64) >> shift;
        let place = usize::try_from(index - i64::from(joined.offset)).unwrap_or(0);
        if place >= joined.bucket_counts.len() {
            joined.bucket_counts.resize(place + 1, 0);
        }
        if let Some(sum) = joined.bucket_counts.get_mut(place) {
            *sum = sum.wrapping_add(*count);
        }
    }
    joined
}

/// Most buckets of one side: with more, those of the old point are given up.
const MOST_BUCKETS: i64 = 1 << 16;

fn merged(a: Buckets, b: Buckets) -> Buckets {
    if a.bucket_counts.is_empty() {
        return b;
    }
    if b.bucket_counts.is_empty() {
        return a;
    }
    let end = |side: &Buckets| i64::from(side.offset) + side.bucket_counts.len() as i64;
    let offset = a.offset.min(b.offset);
    let length = end(&a).max(end(&b)) - i64::from(offset);
    if length > MOST_BUCKETS {
        return b;
    }
    let mut counts = vec![0_u64; usize::try_from(length).unwrap_or(0)];
    for side in [&a, &b] {
        let skip = usize::try_from(i64::from(side.offset) - i64::from(offset)).unwrap_or(0);
        for (sum, count) in counts.iter_mut().skip(skip).zip(&side.bucket_counts) {
            *sum = sum.wrapping_add(*count);
        }
    }
    Buckets { offset, bucket_counts: counts }
}
