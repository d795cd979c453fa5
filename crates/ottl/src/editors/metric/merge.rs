//! Merging points of equal attributes and times. Go's functions, step by step.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::{KeyValue, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint,
    exponential_histogram_data_point::Buckets, number_data_point::Value,
};
use prost::Message as _;

use crate::eval::convert::truncate;
use crate::eval::val::{MapVal, Val};
use crate::eval::{EvalError, json};

/// What becomes of several numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Sum,
    Mean,
    Min,
    Max,
    Median,
    Count,
}

/// Furthest that the buckets of exponential histograms may lie apart to be merged: what lies between is filled.
const MAX_BUCKETS: usize = 1 << 16;

pub(super) fn is_delta(temporality: i32) -> bool {
    temporality == AggregationTemporality::Delta as i32
}

// === impl By ===

impl By {
    pub(super) fn of_name(name: &str) -> Result<Self, String> {
        Ok(match name {
            "sum" => Self::Sum,
            "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "median" => Self::Median,
            "count" => Self::Count,
            other => {
                return Err(format!(
                    "invalid aggregation function: {other:?}, valid options: sum, mean, min, max, median, count"
                ));
            }
        })
    }

    fn of_doubles(self, numbers: &[f64]) -> f64 {
        let Some((first, rest)) = numbers.split_first() else { return 0.0 };
        let nan = |a: f64, b: f64| a.is_nan() || b.is_nan();
        match self {
            Self::Sum => numbers.iter().sum(),
            Self::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
            Self::Max => rest.iter().fold(*first, |a, b| if nan(a, *b) { f64::NAN } else { a.max(*b) }),
            Self::Min => rest.iter().fold(*first, |a, b| if nan(a, *b) { f64::NAN } else { a.min(*b) }),
            Self::Median => {
                let mut sorted = numbers.to_vec();
                // As Go sorts: what is no number comes first.
                sorted.sort_by(|a, b| {
                    b.is_nan().cmp(&a.is_nan()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
                });
                match middle(&sorted) {
                    (one, None) => one,
                    (below, Some(above)) => (below + above) / 2.0,
                }
            }
            Self::Count if rest.is_empty() => *first,
            Self::Count => numbers.len() as f64,
        }
    }

    fn of_ints(self, numbers: &[i64]) -> i64 {
        let Some((first, rest)) = numbers.split_first() else { return 0 };
        let sum = || numbers.iter().fold(0_i64, |sum, number| sum.wrapping_add(*number));
        match self {
            Self::Sum => sum(),
            Self::Mean => sum().wrapping_div(numbers.len() as i64),
            Self::Max => rest.iter().fold(*first, |a, b| a.max(*b)),
            Self::Min => rest.iter().fold(*first, |a, b| a.min(*b)),
            Self::Median => {
                let mut sorted = numbers.to_vec();
                sorted.sort_unstable();
                match middle(&sorted) {
                    (one, None) => one,
                    (below, Some(above)) => below.wrapping_add(above) / 2,
                }
            }
            Self::Count if rest.is_empty() => *first,
            Self::Count => numbers.len() as i64,
        }
    }
}

/// The middle of sorted numbers: one, or two where their number is even.
fn middle<T: Copy + Default>(sorted: &[T]) -> (T, Option<T>) {
    let at = sorted.len() / 2;
    let above = sorted.get(at).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        return (above, None);
    }
    (at.checked_sub(1).and_then(|below| sorted.get(below)).copied().unwrap_or_default(), Some(above))
}

/// Points in groups that have the same key, in the order in which the keys came.
fn grouped<P>(points: &mut Vec<P>, key: impl Fn(&P) -> String) -> Vec<Vec<P>> {
    let (mut groups, mut places): (Vec<Vec<P>>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    for point in points.drain(..) {
        let at = *places.entry(key(&point)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(point),
            None => groups.push(vec![point]),
        }
    }
    groups
}

/// What points must have in common. Attributes are compared as JSON, so that 1 and 1.0 are the same; what JSON cannot hold makes all points
/// the same, as Go has it.
fn key(attributes: &[KeyValue], bounds: &[f64], others: impl std::fmt::Debug) -> String {
    let encoded = KeyValueList { values: attributes.to_vec() }.encode_to_vec();
    match json::encode(&Val::Map(MapVal::Encoded(encoded.into()))) {
        Ok(text) if bounds.iter().all(|bound| bound.is_finite()) => format!("{text}{bounds:?}{others:?}"),
        _ => String::new(),
    }
}

/// Merges numbers.
pub(super) fn numbers(points: &mut Vec<NumberDataPoint>, by: By, delta: bool) {
    let groups = grouped(points, |point| {
        key(&point.attributes, &[], (point.time_unix_nano, delta.then_some(point.start_time_unix_nano)))
    });
    for group in groups {
        let start = group.iter().map(|point| point.start_time_unix_nano).min();
        let values: Vec<Option<Value>> = group.iter().map(|point| point.value).collect();
        let Some(mut first) = group.into_iter().next() else { continue };
        match first.value {
            Some(Value::AsDouble(_)) => {
                let doubles: Vec<f64> = values.iter().map(|value| double(*value)).collect();
                first.value = Some(Value::AsDouble(by.of_doubles(&doubles)));
            }
            Some(Value::AsInt(_)) => {
                // A double among integers is none when they are added.
                let adds = matches!(by, By::Sum | By::Mean);
                let ints: Vec<i64> = values.iter().map(|value| int(*value, adds)).collect();
                first.value = Some(Value::AsInt(by.of_ints(&ints)));
            }
            None => {}
        }
        if first.value.is_some() {
            first.start_time_unix_nano = start.unwrap_or(first.start_time_unix_nano);
        }
        points.push(first);
    }
}

fn double(value: Option<Value>) -> f64 {
    match value {
        Some(Value::AsDouble(value)) => value,
        Some(Value::AsInt(value)) => value as f64,
        None => 0.0,
    }
}

fn int(value: Option<Value>, only_ints: bool) -> i64 {
    match value {
        Some(Value::AsInt(value)) => value,
        Some(Value::AsDouble(value)) if !only_ints => truncate(value),
        _ => 0,
    }
}

/// Merges histograms that have the same bounds.
pub(super) fn histograms(points: &mut Vec<HistogramDataPoint>, delta: bool) {
    let groups = grouped(points, |point| {
        let start = delta.then_some(point.start_time_unix_nano);
        let others = (point.time_unix_nano, start, point.min.is_some(), point.max.is_some(), point.flags);
        key(&point.attributes, &point.explicit_bounds, others)
    });
    for group in groups {
        let mut group = group.into_iter();
        let Some(mut first) = group.next() else { continue };
        for other in group.filter(|other| other.count != 0) {
            first.count = first.count.wrapping_add(other.count);
            first.sum = Some(first.sum.unwrap_or_default() + other.sum.unwrap_or_default());
            widen(&mut first.min, &mut first.max, other.min, other.max);
            add(&mut first.bucket_counts, &other.bucket_counts);
            first.exemplars.extend(other.exemplars);
            first.start_time_unix_nano = first.start_time_unix_nano.min(other.start_time_unix_nano);
        }
        points.push(first);
    }
}

fn widen(min: &mut Option<f64>, max: &mut Option<f64>, other_min: Option<f64>, other_max: Option<f64>) {
    let (other_min, other_max) = (other_min.unwrap_or_default(), other_max.unwrap_or_default());
    if let Some(min) = min.as_mut().filter(|min| **min > other_min) {
        *min = other_min;
    }
    if let Some(max) = max.as_mut().filter(|max| **max < other_max) {
        *max = other_max;
    }
}

fn add(counts: &mut Vec<u64>, others: &[u64]) {
    counts.resize(counts.len().max(others.len()), 0);
    counts.iter_mut().zip(others).for_each(|(count, other)| *count = count.wrapping_add(*other));
}

/// Merges exponential histograms of the same scale.
pub(super) fn exponential(points: &mut Vec<ExponentialHistogramDataPoint>, delta: bool) -> Result<(), EvalError> {
    let groups = grouped(points, |point| {
        let start = delta.then_some(point.start_time_unix_nano);
        let others = (point.time_unix_nano, start, point.scale, point.min.is_some(), point.max.is_some(), point.flags);
        key(&point.attributes, &[], others)
    });
    for group in groups {
        let mut group = group.into_iter();
        let Some(mut first) = group.next() else { continue };
        for other in group.filter(|other| other.count != 0) {
            first.count = first.count.wrapping_add(other.count);
            first.sum = Some(first.sum.unwrap_or_default() + other.sum.unwrap_or_default());
            first.zero_count = first.zero_count.wrapping_add(other.zero_count);
            widen(&mut first.min, &mut first.max, other.min, other.max);
            merge_buckets(&mut first.negative, other.negative)?;
            merge_buckets(&mut first.positive, other.positive)?;
            first.exemplars.extend(other.exemplars);
            first.start_time_unix_nano = first.start_time_unix_nano.min(other.start_time_unix_nano);
        }
        points.push(first);
    }
    Ok(())
}

fn merge_buckets(into: &mut Option<Buckets>, other: Option<Buckets>) -> Result<(), EvalError> {
    let (into, other) = (into.get_or_insert_default(), other.unwrap_or_default());
    let counts = &mut into.bucket_counts;
    if into.offset == other.offset {
        add(counts, &other.bucket_counts);
        return Ok(());
    }
    if other.offset < into.offset {
        // As Go has it: what lies below comes in front, whatever the distance.
        let mut below: Vec<u64> = other.bucket_counts.iter().copied().filter(|count| *count > 0).collect();
        below.append(counts);
        *counts = below;
    } else {
        let distance = other.offset.wrapping_sub(into.offset);
        for (at, count) in (0_i64..).zip(&other.bucket_counts).filter(|(_, count)| **count > 0) {
            let Ok(at) = usize::try_from(at + i64::from(distance)) else { continue };
            if at >= MAX_BUCKETS {
                return Err(EvalError::Static("buckets lie too far apart to be merged"));
            }
            counts.resize(counts.len().max(at + 1), 0);
            if let Some(place) = counts.get_mut(at) {
                *place = place.wrapping_add(*count);
            }
        }
    }
    if !other.bucket_counts.is_empty() {
        into.offset = into.offset.min(other.offset);
        let empty = counts.iter().take_while(|count| **count == 0).count();
        counts.drain(..empty);
    }
    Ok(())
}
